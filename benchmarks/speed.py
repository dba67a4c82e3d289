"""Measure u2demo beside rembg, onnxruntime and OpenVINO: same weights, same cores, in one run.

    pip install -r benchmarks/requirements.txt
    python benchmarks/speed.py --onnx u2netp.onnx [--threads 2] [--rounds 9] [--only forward,photo]

Contenders take turns, round after round, so that a busy machine treats all alike. The tables show
medians, and ratios of medians to the first line of each table. ``cpu`` is the processor time of all
threads: it hardly depends on what else is running. Photos are drawn from the packaged ones,
enlarged, with grain; clips show one moving over another. The ONNX file is the official export that
rembg downloads.
"""

import argparse
import importlib.util
import io
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import live
import numpy as np
from clips import RATE, draw_clip, peers
from PIL import Image

import u2demo as u2
from u2demo.images.png import encode_png

SAMPLES = ("astronaut.jpg", "cat.jpeg", "coffee.png", "rocket.jpg")
MEGAPIXELS = (0.3, 2, 12)
PAUSE = 0.1  # seconds; idle threads of the previous contender may spin that long


class Lap(NamedTuple):
    """What one run took, in seconds, and its result."""

    wall: float
    cpu: float
    result: object


def race(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, Lap]:
    """Run all in turn, ``rounds`` times after two for warming up; return medians."""
    laps: dict[str, list[Lap]] = {name: [] for name in contenders}
    for _ in range(2 + rounds):
        for name, run in contenders.items():
            time.sleep(PAUSE)
            wall, cpu = time.perf_counter(), time.process_time()
            result = run()
            laps[name].append(Lap(time.perf_counter() - wall, time.process_time() - cpu, result))
    return {name: _median(runs[2:]) for name, runs in laps.items()}


def _median(laps: list[Lap]) -> Lap:
    wall, cpu = (statistics.median(lap[i] for lap in laps) for i in (0, 1))
    return Lap(wall, cpu, laps[-1].result)


def table(title: str, laps: dict[str, Lap], notes: dict[str, str]) -> None:
    """Print one table; a ratio says how many times as fast as the first line a contender is."""
    first = next(iter(laps.values()))
    print(f"\n{title}\n{'':24}{'wall':>10}{'faster':>8}{'cpu':>10}{'faster':>8}")
    for name, lap in laps.items():
        figures = f"{lap.wall * 1e3:7.0f} ms{first.wall / lap.wall:7.2f}x"
        figures += f"{lap.cpu * 1e3:7.0f} ms{first.cpu / lap.cpu:7.2f}x"
        print(f"{name:24}{figures}  {notes.get(name, '')}", flush=True)


def draw_photo(sample: str, megapixels: float, seed: int = 0) -> bytes:
    """Return a JPEG of that size: a packaged photo, enlarged, with the grain of a small sensor."""
    photo = u2.sample_images()[sample]
    scale = (megapixels * 1e6 / (photo.width * photo.height)) ** 0.5
    large = photo.resize((round(photo.width * scale), round(photo.height * scale)))
    grain = np.random.default_rng(seed).normal(0, 3, (large.height, large.width, 1))
    pixels = np.rint(np.asarray(large) + grain).clip(0, 255).astype(np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "JPEG", quality=92)
    return encoded.getvalue()


def run_onnxruntime(onnx: Path, threads: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return the network as onnxruntime runs it in float32."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda batch: session.run(None, {name: batch})[0]


def run_openvino(onnx: Path, threads: int, precision: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return the network as OpenVINO runs it in ``precision``, f32 or bf16."""
    import openvino

    options = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads}
    model = openvino.Core().compile_model(onnx, "CPU", {**options, "PERFORMANCE_HINT": "LATENCY"})
    return lambda batch: model([batch])[0]


def forward(name: str, onnx: Path, options: argparse.Namespace) -> None:
    """Compare the network alone, at 320x320, on one of the packaged photos."""
    import torch

    from u2demo.inference.predict import network_input
    from u2demo.inference.views import run

    model = u2.load_model(device="cpu") if name == "u2netp" else drawn_u2net(onnx)
    batch = network_input(u2.sample_images()["astronaut.jpg"])
    tensor = torch.from_numpy(batch)

    def exact() -> np.ndarray:
        with torch.inference_mode():
            return model(tensor)[0].numpy()

    contenders = {}
    if installed("onnxruntime"):
        contenders["onnxruntime, float32"] = partial(run_onnxruntime(onnx, options.threads), batch)
    contenders["u2demo, float32"] = exact
    contenders["u2demo, as predicted"] = lambda: run(model, tensor).numpy()
    if installed("openvino"):
        for precision in ("f32", "bf16"):
            peer = run_openvino(onnx, options.threads, precision)
            contenders[f"OpenVINO, {precision}"] = partial(peer, batch)
    laps = race(contenders, options.rounds)
    truth = laps["u2demo, float32"].result
    notes = {name: f"differs by {abs(lap.result - truth).mean():.5f}" for name, lap in laps.items()}
    table(f"Forward, {name}, 320x320", laps, notes)


def drawn_u2net(target: Path) -> object:
    """Return the large network with drawn weights, and export it to ``target``."""
    import torch

    from u2demo.machine.memory import keep_freed_memory
    from u2demo.nets.architectures import build_model
    from u2demo.nets.fuse import fuse

    keep_freed_memory()  # as the command line does
    torch.manual_seed(0)
    model = build_model("u2net").eval()
    torch.onnx.export(model, torch.zeros(1, 3, 320, 320), target, dynamo=False)
    return fuse(model).to(memory_format=torch.channels_last)


def large_network(options: argparse.Namespace, folder: Path) -> None:
    """Show time and memory of the large network from file to picture, with drawn weights."""
    import torch

    from u2demo.nets.architectures import build_model

    torch.save(build_model("u2net").state_dict(), folder / "drawn.pth")
    (folder / "large.jpg").write_bytes(draw_photo("cat.jpeg", 2))
    run = [sys.executable, "-m", "u2demo", str(folder / "large.jpg"), "-o", "TARGET"]
    work = {"u2netp": run, "u2net": [*run, "--weights", str(folder / "drawn.pth")]}
    commands("Command line, 2 megapixels, small and large network", work, options.rounds)


def one_photo(megapixels: float, options: argparse.Namespace) -> None:
    """Compare JPEG bytes in, PNG bytes of the cut-out out, with everything warm."""
    model = u2.load_model(device="cpu")

    def ours(photo: bytes) -> bytes:
        image = u2.open_image(io.BytesIO(photo))
        cutout = u2.remove_background(image, u2.predict_mask(model, image))
        return encode_png(cutout)

    runs = {"u2demo": ours}
    if installed("rembg") and options.onnx:
        import rembg

        session = rembg.new_session("u2netp")
        runs = {"rembg": lambda photo: rembg.remove(photo, session=session), **runs}
    for sample in SAMPLES:
        photo = draw_photo(sample, megapixels)
        laps = race({name: partial(run, photo) for name, run in runs.items()}, options.rounds)
        alphas = {name: alpha_of(lap.result) for name, lap in laps.items()}
        notes = {
            name: f"{len(lap.result) / 1e3:,.0f} kB, alpha differs by"
            f" {abs(alphas[name] - alphas['u2demo']).mean():.4f}"
            for name, lap in laps.items()
        }
        table(f"One photo, {megapixels} megapixels, {sample}", laps, notes)


def alpha_of(png: bytes) -> np.ndarray:
    """Return the alpha of an encoded picture, (H, W) in [0, 1]."""
    return np.asarray(Image.open(io.BytesIO(png)).getchannel("A")) / 255


# Started directly by this large process, a small one would count as large: hence one in between.
WAIT = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
"""


def launch(command: list[str]) -> tuple[float, float, float]:
    """Run a command to its end; return wall seconds, processor seconds and peak megabytes."""
    start = time.perf_counter()
    between = [sys.executable, "-S", "-c", WAIT, *command]
    code, cpu, peak = subprocess.run(between, stdout=subprocess.PIPE, check=True).stdout.split()
    if int(code):
        raise RuntimeError(f"{' '.join(command)} failed with {int(code)}")
    megabytes = float(peak) * (1 if sys.platform == "darwin" else 1024) / 1e6
    return time.perf_counter() - start, float(cpu), megabytes


def commands(
    title: str, work: dict[str, list[str]], rounds: int, photos: int = 0, unit: str = "photos"
) -> None:
    """Compare whole processes: time from the start to the end, and peak memory."""
    runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, command in work.items():
            with tempfile.TemporaryDirectory() as target:
                time.sleep(PAUSE)
                runs[name].append(launch([part.replace("TARGET", target) for part in command]))
    print(f"\n{title}\n{'':24}{'wall':>10}{'faster':>8}{'cpu':>10}{'peak':>10}")
    first = 0.0
    for name, laps in runs.items():
        wall, cpu, peak = (statistics.median(values) for values in zip(*laps, strict=True))
        first = first or wall
        rate = f"{photos / wall:6.2f} {unit}/s" if photos else ""
        print(f"{name:24}{wall:8.2f} s{first / wall:7.2f}x{cpu:8.2f} s{peak:7.0f} MB {rate}")


def live_camera(options: argparse.Namespace) -> None:
    """Show what one mask of a live camera takes in the kernel; the net has all cores but one."""
    from u2demo.nets.threads import use_threads

    cores = max(1, options.threads - 1)
    with use_threads(cores):
        costs = live.costs(4 * options.rounds, cores)
    laps = {name: Lap(cost.wall, cost.cpu, None) for name, cost in costs.items()}
    notes = {name: f"{1 / cost.wall:.1f} masks/s" for name, cost in costs.items()}
    table(f"Live camera, a frame of 480x270 to its mask, net on threads: {cores}", laps, notes)


def live_page() -> None:
    """Show what the live page reaches in a browser, in JupyterLab and in Voila."""
    from live_page import report

    print("\nLive page, a camera of 1280x720:", flush=True)
    report()


def start_up(options: argparse.Namespace, folder: Path) -> None:
    """Compare the time until the first photo is done, and the memory that takes."""
    python = sys.executable
    work = {f"import {name}": [python, "-c", f"import {name}"] for name in ("torch", "u2demo")}
    if installed("rembg"):
        work["import rembg"] = [python, "-c", "import rembg"]
    commands("Start-up: import", work, options.rounds)
    for megapixels in MEGAPIXELS:
        photo = folder / f"{megapixels}.jpg"
        photo.write_bytes(draw_photo("cat.jpeg", megapixels))
        work = rembg_command(options, "i", str(photo), "TARGET/cut.png")
        work["u2demo"] = [python, "-m", "u2demo", str(photo), "-o", "TARGET"]
        title = f"Command line to the first finished photo, {megapixels} megapixels"
        commands(title, work, options.rounds)


def folders(options: argparse.Namespace, folder: Path) -> None:
    """Compare folders of 2-megapixel photos, one with ten times as many photos as the other."""
    for count in (max(1, options.photos // 10), options.photos):
        source = draw_folder(folder, count, 2)
        work = rembg_command(options, "p", str(source), "TARGET")
        work["u2demo"] = [sys.executable, "-m", "u2demo", str(source), "-o", "TARGET"]
        commands(f"A folder of {count} photos, 2 megapixels", work, 1, count)


def memory(options: argparse.Namespace, folder: Path) -> None:
    """Show whether peak memory grows with the number of photos, and with their size."""
    for count, megapixels in ((10, 12), (options.photos, 0.3), (10 * options.photos, 0.3)):
        source = draw_folder(folder, count, megapixels)
        work = {"u2demo": [sys.executable, "-m", "u2demo", str(source), "-o", "TARGET"]}
        commands(f"Memory: {count} photos, {megapixels} megapixels", work, 1, count)


def gpu(options: argparse.Namespace, folder: Path) -> None:
    """Show how busy a folder keeps the GPU: photos a second beside those of the net alone."""
    import torch

    from u2demo.inference.views import run
    from u2demo.nets.load import load_model

    print("\n## A GPU, a folder of 2-megapixel photos")
    if not torch.cuda.is_available():
        print("left out: PyTorch finds no CUDA device here")
        return
    source = draw_folder(folder, options.photos, 2)
    for name in ("u2netp", "u2net"):
        model, batch = load_model(name, device="cuda"), torch.rand(8, 3, 320, 320)
        laps = race({"net": lambda model=model, batch=batch: run(model, batch)}, options.rounds)
        alone = 8 / laps["net"].wall
        begun = time.perf_counter()
        u2.process_folder(model, source, folder / f"gpu {name}")
        rate = options.photos / (time.perf_counter() - begun)
        print(f"{name}: {rate:.1f} photos/s; the net alone {alone:.1f}: {rate / alone:.0%} busy")


def video(options: argparse.Namespace, folder: Path) -> None:
    """Compare clips of 1080p, start-up included, and the memory of a short and a long clip."""
    size = 1920, 1080
    clip = draw_clip(folder / "clip.mp4", options.seconds, size)
    run = [sys.executable, "-m", "u2demo", str(clip), "-o", "TARGET", "--effects"]
    work = peers(clip, size, rembg=bool(rembg_command(options, "b")))
    work |= {"u2demo, to WebM": [*run, "cutout"], "u2demo, to MP4": [*run, "box"]}
    frames = round(options.seconds * RATE)
    commands(f"A clip of {frames} frames, 1080p, H.264", work, 1, frames, unit="frames")
    for seconds in (20, 600):
        clip = draw_clip(folder / f"{seconds}.mp4", seconds, (320, 180))
        run = [sys.executable, "-m", "u2demo", str(clip), "-o", "TARGET"]
        title = f"Memory: a clip of {seconds} seconds, 320x180"
        commands(title, {"u2demo": run}, 1, seconds * RATE, unit="frames")


def draw_folder(folder: Path, count: int, megapixels: float) -> Path:
    """Write ``count`` different photos into a new folder, and return it."""
    source = folder / f"{count} of {megapixels}"
    source.mkdir()
    for index in range(count):
        photo = draw_photo(SAMPLES[index % len(SAMPLES)], megapixels, seed=index)
        (source / f"{index}.jpg").write_bytes(photo)
    return source


def rembg_command(options: argparse.Namespace, kind: str, *paths: str) -> dict[str, list[str]]:
    """Return rembg's command line, if it can be run."""
    if not (installed("rembg") and options.onnx):
        return {}
    run = "from rembg.cli import main; main()"
    return {"rembg": [sys.executable, "-c", run, kind, "-m", "u2netp", *paths]}


def installed(package: str) -> bool:
    """Return whether ``package`` can be imported."""
    return importlib.util.find_spec(package) is not None


def pin(threads: int) -> None:
    """Keep this process, and those that it starts, to ``threads`` cores."""
    import torch

    os.environ["OMP_NUM_THREADS"] = str(threads)  # rembg hands it to onnxruntime
    torch.set_num_threads(threads)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def benchmarks(options: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Callable]]:
    """Yield each benchmark with its name for ``--only``."""
    if options.onnx:
        yield "forward", partial(forward, "u2netp", options.onnx, options)
    if installed("onnx"):
        yield "u2net", partial(forward, "u2net", folder / "u2net.onnx", options)
    yield "u2net", partial(large_network, options, folder)
    for megapixels in MEGAPIXELS:
        yield "photo", partial(one_photo, megapixels, options)
    yield "live", partial(live_camera, options)
    if installed("playwright"):
        yield "live", live_page
    yield "start", partial(start_up, options, folder)
    yield "folder", partial(folders, options, folder)
    yield "gpu", partial(gpu, options, folder)
    yield "memory", partial(memory, options, folder)
    if installed("av"):
        yield "video", partial(video, options, folder)


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    onnx = os.environ.get("U2DEMO_ONNX")
    parser.add_argument("--onnx", type=Path, default=onnx and Path(onnx), help="u2netp.onnx")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--photos", type=int, default=60, help="number in a folder")
    parser.add_argument("--seconds", type=float, default=10, help="of the clip of 1080p")
    parser.add_argument("--only", help="some of forward,u2net,photo,live,start,folder,gpu,...")
    options = parser.parse_args()
    pin(options.threads)
    print(
        f"{options.threads} threads; onnxruntime, rembg: {options.onnx or 'left out, see --onnx'}"
    )
    with tempfile.TemporaryDirectory() as folder:
        if options.onnx:
            os.environ["U2NET_HOME"] = folder
            shutil.copy(options.onnx, Path(folder, "u2netp.onnx"))
        for name, run in benchmarks(options, Path(folder)):
            if not options.only or name in options.only.split(","):
                run()


if __name__ == "__main__":
    main()
