"""Clips made of others, byte by byte or packet by packet."""

import pytest

av = pytest.importorskip("av")


def change(path, old, new):
    """Replace bytes of a file that are in it."""
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))


def joined(path, *others):
    """Write transport streams into one, one after the other."""
    path.write_bytes(b"".join(other.read_bytes() for other in others))
    return path


def remuxed(path, to, left_out=lambda packet: False, later=lambda packet: 0):
    """Write a clip without the packets of its sound for which ``left_out`` is true.

    Each of the rest comes ``later`` by so many seconds.
    """
    as_it_is = {"avoid_negative_ts": "disabled"}
    with (
        av.open(str(path)) as source,
        av.open(str(to), "w", container_options=as_it_is) as out,
    ):
        tracks = {one: out.add_stream_from_template(one) for one in source.streams}
        for packet in source.demux():
            is_sound = packet.stream.type == "audio"
            if packet.size and not (is_sound and left_out(packet)):
                packet.stream = tracks[packet.stream]
                if is_sound:
                    ticks = round(later(packet) / packet.time_base)
                    packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                out.mux(packet)
    return to
