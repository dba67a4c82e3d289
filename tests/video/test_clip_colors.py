"""Colors and alpha of a clip are those that players show."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image
from quarters import BLUE, GREEN, RED, WHITE, are_near, corners, quarters

import u2demo as u2


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.webm", "libvpx-vp9", "yuva420p"),
        ("b.webm", "libvpx", "yuva420p"),
        ("a.mov", "prores_ks", "yuva444p10le"),
        ("a.mov", "qtrle", "argb"),
        ("a.mov", "png", "rgba"),
        ("a.mkv", "ffv1", "bgra"),
    ],
)
def test_alpha_is_kept(name, codec, pixels, make_clip):
    picture = quarters().convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 32, 24))
    picture.putpixel((60, 44), (255, 255, 255, 255))
    picture.paste((0, 0, 255, 128), (0, 24, 32, 48))
    options = {"auto-alt-ref": "0"} if codec == "libvpx" else {}
    path = make_clip(name, pictures=[picture] * 3, codec=codec, pixels=pixels, options=options)
    clip = u2.open_video(path)
    frames = list(clip)
    assert clip.alpha and len(frames) == 3
    assert all(frame.image.mode == "RGBA" for frame in frames)
    alphas = [color[3] for color in corners(frames[-1].image)]
    assert are_near(alphas, [0, 255, 128, 255], 3)


@pytest.mark.parametrize("width", [17, 18, 19, 20, 116])
def test_the_right_edge_of_a_clip_with_alpha_is_what_it_was(width, make_clip):
    """FFmpeg's fastest way leaves up to four columns of it as they were in memory."""
    picture = Image.new("RGBA", (width, 40), "yellow")
    picture.paste((0, 0, 0, 0), (0, 0, 8, 8))
    path = make_clip("a.webm", pictures=[picture] * 3, codec="libvpx-vp9", pixels="yuva420p")
    for _, image in u2.open_video(path):
        edge = np.asarray(image)[:, -4:].reshape(-1, 4).tolist()
        assert are_near(edge, [(255, 255, 0, 255)] * len(edge), 8)


@pytest.mark.parametrize(("transfer", "white"), [(18, 0.75), (16, 0.58)], ids=["HLG", "PQ"])
def test_white_of_hdr_is_white_on_an_ordinary_screen(transfer, white, make_clip):
    """White is 203 cd/m2 (ITU-R BT.2408): 0.75 of the signal in HLG, 0.58 in PQ."""

    def tag(stream):
        codec = stream.codec_context
        codec.color_trc, codec.color_primaries, codec.colorspace = transfer, 9, 9

    picture = Image.new("RGB", (64, 48), (round(white * 255),) * 3)
    path = make_clip("hdr.mkv", pictures=[picture], codec="ffv1", pixels="yuv420p10le", prepare=tag)
    (frame,) = u2.open_video(path)
    assert min(frame.image.getpixel((30, 20))) > 245


@pytest.mark.parametrize(
    ("transfer", "levels"), [(18, (17, 46, 107)), (16, (5, 28, 111))], ids=["HLG", "PQ"]
)
def test_darks_of_hdr_are_as_dark_as_they_are_in_srgb(transfer, levels, make_clip):
    """By the formulas of ITU-R BT.2100, and its HLG on a screen of 1000 cd/m2."""

    def tag(stream):
        codec = stream.codec_context
        codec.color_trc, codec.color_primaries, codec.colorspace = transfer, 9, 9

    darks = [Image.new("RGB", (64, 48), (signal,) * 3) for signal in (26, 51, 102)]
    path = make_clip("hdr.mkv", pictures=darks, codec="ffv1", pixels="yuv420p10le", prepare=tag)
    found = [frame.image.getpixel((30, 20)) for frame in u2.open_video(path)]
    assert are_near(found, [(level,) * 3 for level in levels], 3)


@pytest.mark.parametrize(
    ("primaries", "transfer", "red"),
    # The red of sRGB in linear light: in BT.2020, and in DCI-P3 with the white of daylight.
    [(9, 14, (0.627, 0.069, 0.016)), (12, 13, (0.823, 0.033, 0.017))],
    ids=["BT.2020", "Display P3"],
)
def test_colors_of_a_wide_gamut_are_those_seen(primaries, transfer, red, make_clip):
    def tag(stream):
        codec = stream.codec_context
        codec.color_trc, codec.color_primaries, codec.colorspace = transfer, primaries, 5

    stored = tuple(round(255 * (1.055 * light ** (1 / 2.4) - 0.055)) for light in red)
    picture = Image.new("RGB", (64, 48), stored)
    path = make_clip("wide.mkv", pictures=[picture], codec="ffv1", pixels="yuv444p", prepare=tag)
    (frame,) = u2.open_video(path)
    assert are_near([frame.image.getpixel((30, 20))], [(255, 0, 0)], 6)


@pytest.mark.parametrize(("size", "matrix"), [((64, 48), 5), ((1280, 720), 1)])
def test_colors_that_are_not_said_are_those_players_show(size, matrix, make_clip):
    """BT.601 for small pictures, BT.709 for large ones, whose red differs by 20."""
    av = pytest.importorskip("av")
    frame = av.VideoFrame.from_image(Image.new("RGB", size, RED))
    name = {1: "ITU709", 5: "ITU601"}[matrix]
    stored = frame.reformat(format="yuv420p", dst_colorspace=name)
    path = make_clip("a.mkv", size=size, codec="rawvideo", count=1)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stored.colorspace = 2
        out.mux([*stream.encode(stored), *stream.encode()])
    (frame,) = u2.open_video(path)
    assert are_near([frame.image.getpixel((30, 20))], [RED], 4)


def test_full_range_colors_of_old_cameras_are_right(make_clip):
    path = make_clip("old.avi", codec="mjpeg", pixels="yuvj420p", tick=Fraction(1, 30), count=1)
    (frame,) = u2.open_video(path)
    assert are_near(corners(frame.image), [RED, GREEN, BLUE, WHITE], 8)


@pytest.mark.parametrize(
    ("size", "pixels"),
    [((64, 48), "yuv420p"), ((64, 48), "yuv420p10le"), ((64, 49), "yuv420p")],
)
def test_white_is_white(size, pixels, make_clip):
    """Not 253, also with ten bits, as new phones have, and an odd height."""
    white = [Image.new("RGB", size, "white")]
    path = make_clip("clip.mkv", pictures=white, codec="ffv1", pixels=pixels)
    assert np.asarray(next(iter(u2.open_video(path))).image).min() == 255
