"""What the live page reaches in a real JupyterLab or Voila, with a camera that Chromium plays.

Masks a second, how old they are, pictures a second on the canvas, the kernel's CPU while live and
after Stop, and by how much the memory of kernel and page grows: the medians of the first and of
the last tenth of the time. Needs the tests' packages and Chromium (Linux).

    python benchmarks/live_page.py --sites voila --seconds 600
"""

import argparse
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

import psutil
from PIL import Image
from playwright.sync_api import Page, sync_playwright

import u2demo as u2

sys.path.append(str(Path(__file__).parents[1] / "tests"))
sys.path.append(str(Path(__file__).parents[1] / "tests" / "browser"))
from live_camera import write_pictures
from sites import NOTEBOOKS, Site, kernels, serving, start

SIZE = (1280, 720)  # pixels, (width, height), of the camera
FRAMES = 60  # of its film, which begins again
WARM_UP = 10  # seconds
REST = 2  # seconds after Stop, in which the kernel may still work


def main() -> None:
    """Print a line for JupyterLab and one for Voila."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sites", default="lab,voila")
    parser.add_argument("--seconds", type=int, default=30, help="how long each is watched")
    options = parser.parse_args()
    report(options.sites.split(","), options.seconds)


def report(sites: Iterable[str] = ("lab", "voila"), seconds: int = 30) -> None:
    """Print what each site reaches, a line each."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        film = Path(folder, "film.y4m")
        write_pictures(film, views(), SIZE)
        arguments = [
            f"--use-file-for-fake-video-capture={film}",
            *("--use-fake-device-for-media-stream", "--disable-gpu", "--no-sandbox"),
        ]
        system = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=system, args=arguments)
        for kind in sites:
            home = Path(folder, kind)
            home.mkdir()
            with serving(kind, NOTEBOOKS / "live.ipynb", home) as site:
                page = browser.new_page(permissions=["camera"])
                print(kind, measured(page, site, seconds), sep=": ")
                page.close()


def views() -> Iterator[Image.Image]:
    """Yield the pictures of a camera's film: the view wanders over a photo."""
    photo = u2.sample_images()["astronaut.jpg"].resize((1440, 1440))
    for number in range(FRAMES):
        left = 160 - abs(FRAMES // 2 - number) * 5
        yield photo.crop((left, 100, left + SIZE[0], 100 + SIZE[1]))


def measured(page: Page, site: Site, seconds: int) -> str:
    """Return what the page and its kernel did in ``seconds``, and after Stop."""
    page.set_default_timeout(120_000)
    start(page, site, "live.ipynb")
    page.get_by_role("button", name="Start camera").click()
    figures = page.locator(".u2-figures")
    figures.get_by_text(f"{SIZE[0]}×{SIZE[1]}").wait_for()
    page.wait_for_timeout(1000 * WARM_UP)
    kernel = psutil.Process(int(max(kernels(site), key=int)))
    renderer = renderer_of_page()
    begun = time.monotonic()
    painted, used = pictures(page), seconds_of_cpu(kernel)
    shown, memory = [], []
    while time.monotonic() - begun < seconds:
        page.wait_for_timeout(500)
        shown.append([float(number) for number in re.findall(r"[\d.]+", figures.inner_text())[:2]])
        memory.append([each.memory_info().rss / 1e6 for each in (kernel, renderer)])
    passed = time.monotonic() - begun
    painted, used = pictures(page) - painted, seconds_of_cpu(kernel) - used
    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_timeout(1000 * REST)
    rested = seconds_of_cpu(kernel)
    page.wait_for_timeout(1000 * WARM_UP)
    rested = seconds_of_cpu(kernel) - rested
    rate, delay = medians(shown)
    tenth = len(memory) // 10 + 1
    before, after = medians(memory[:tenth]), medians(memory[-tenth:])
    return (
        f"{rate:.1f} masks/s, {delay:.0f} ms old; {painted / passed:.1f} pictures/s; kernel: "
        f"{used / passed:.0%} of a core, {rested / WARM_UP:.1%} after Stop; memory of the kernel "
        f"{before[0]:.0f} → {after[0]:.0f} MB, of the page {before[1]:.0f} → {after[1]:.0f} MB"
    )


def medians(rows: list[list[float]]) -> list[float]:
    """Return the median of each column."""
    return [median(column) for column in zip(*rows, strict=True)]


def renderer_of_page() -> psutil.Process:
    """Return the browser's process that has the page: of all that draw pages, the busiest."""
    below = psutil.Process().children(recursive=True)
    renderers = [one for one in below if "--type=renderer" in one.cmdline()]
    return max(renderers, key=seconds_of_cpu)


def pictures(page: Page) -> int:
    """Return how many pictures the page has painted."""
    return int(page.locator(".u2-canvas").get_attribute("data-painted"))


def seconds_of_cpu(process: psutil.Process) -> float:
    """Return the time that a process has had on processors."""
    times = process.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    main()
