"""Clips that the tests make: of four colored quarters, red at the top left, or what is asked."""

from fractions import Fraction

import numpy as np
import pytest
from quarters import quarters


@pytest.fixture
def make_clip(tmp_path):
    """Return a function that writes a clip and returns its path."""
    av = pytest.importorskip("av")

    def make(
        name, *, pictures=None, count=5, size=(64, 48), codec="libx264", pixels="yuv420p",
        times=None, tick=Fraction(1, 90000), rate=30, matrix=None, sound=None, options=None,
        container=None, layout="mono", beeps=0,
        prepare=lambda stream: None,
    ):  # fmt: skip
        pictures = pictures or [quarters(size)] * count
        times = times or [Fraction(number, rate) for number in range(len(pictures))]
        path = tmp_path / name
        with av.open(str(path), "w", container_options=container or {}) as out:
            stream = out.add_stream(codec, rate=rate, options=options or {})
            stream.width, stream.height = pictures[0].size
            stream.pix_fmt = pixels
            stream.time_base = stream.codec_context.time_base = tick
            if matrix:
                if not hasattr(stream, "set_display_matrix"):
                    pytest.skip("this PyAV cannot write a display matrix")
                stream.set_display_matrix(matrix)
            prepare(stream)
            audio = out.add_stream(sound, rate=48000, layout=layout) if sound else None
            if audio:
                audio.bit_rate = 96_000  # not every encoder has a usual one
            for time, picture in zip(times, pictures, strict=True):
                frame = av.VideoFrame.from_image(picture)
                if picture.mode == "RGBA":
                    frame = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgba")
                frame.pts, frame.time_base = round(time / tick), tick
                out.mux(stream.encode(frame))
            out.mux(stream.encode())
            if audio:
                _beep(av, out, audio, seconds=beeps or float(times[-1]) + 1 / rate)
        return path

    return make


def _beep(av, out, audio, *, seconds):
    """Write a click, loud for 10 ms, at each tenth of a second."""
    clock = np.arange(int(seconds * 48000)) / 48000
    wave = np.where(clock % 0.1 < 0.01, np.sin(2 * np.pi * 1000 * clock), 0)
    frame = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), format="fltp", layout="mono")
    frame.rate, frame.pts = 48000, 0
    resampler = av.AudioResampler(audio.format, audio.layout, audio.rate, audio.frame_size or None)
    for ready in [*resampler.resample(frame), *resampler.resample(None)]:
        out.mux(audio.encode(ready))
    out.mux(audio.encode())
