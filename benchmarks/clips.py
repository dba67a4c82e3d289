"""samples -> clips to measure with, and the commands of other programs that do clips."""

import importlib.util
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import u2demo as u2

RATE = 25  # frames a second
_STEP = 3  # pixels that the subject moves between two frames


def draw_clip(path: Path, seconds: float, size: tuple[int, int]) -> Path:
    """Write H.264 to ``path`` and return it: a sample's subject moves over another sample."""
    import av

    samples = u2.sample_images()
    scene = samples["coffee.png"].convert("RGB").resize(size)
    height = size[1] * 3 // 4
    cat = u2.remove_background(
        samples["cat.jpeg"], u2.predict_mask(u2.load_model(), samples["cat.jpeg"])
    )
    cat = cat.resize((height * cat.width // cat.height, height))
    way = max(1, size[0] - cat.width)
    grain = np.random.default_rng(0).normal(0, 3, (size[1], size[0], 1))
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for number in range(round(seconds * RATE)):
            picture = scene.copy()
            picture.paste(cat, (abs(_STEP * number % (2 * way) - way), size[1] - height), cat)
            pixels = np.asarray(picture) + np.roll(grain, 7 * number, axis=1)
            frame = Image.fromarray(np.rint(pixels).clip(0, 255).astype(np.uint8))
            out.mux(stream.encode(av.VideoFrame.from_image(frame)))
        out.mux(stream.encode())
    return path


# Frames of a clip as raw RGB on stdout, as ``ffmpeg -f rawvideo -pix_fmt rgb24 -`` gives them.
_RAW = """
import av, sys
with av.open(sys.argv[1]) as clip:
    for frame in clip.decode(video=0):
        sys.stdout.buffer.write(frame.to_ndarray(format="rgb24").tobytes())
"""


def peers(clip: Path, size: tuple[int, int], *, rembg: bool) -> dict[str, list[str]]:
    """Return the commands of other programs that make a cut-out of ``clip`` in the folder TARGET.

    rembg reads raw frames from a pipe and writes a PNG for each. backgroundremover needs FFmpeg's
    program; give it weights by its variable U2NETP_PATH.
    """
    work = {}
    if rembg:
        decode = shlex.join([sys.executable, "-c", _RAW, str(clip)])
        run = "from rembg.cli import main; main()"
        cut = [sys.executable, "-c", run, "b", "-m", "u2netp", *map(str, size)]
        cut += ["-o", "TARGET/%06d.png"]
        work["decode | rembg b"] = ["bash", "-c", f"{decode} | {shlex.join(cut)}"]
    if importlib.util.find_spec("backgroundremover") and shutil.which("ffmpeg"):
        run = "from backgroundremover.cmd.cli import main; main()"
        work["backgroundremover"] = [sys.executable, "-c", run, "-i", str(clip), "-m", "u2netp",
                                     "-tv", "-o", "TARGET/cut.mov"]  # fmt: skip
    return work
