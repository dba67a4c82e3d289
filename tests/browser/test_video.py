"""A person's visit to the app for clips, step by step, in JupyterLab and in Voila."""

import io
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sites import NOTEBOOKS, WAIT, serving, start, wait_until_idle

pytest.importorskip("av")
in_lab = pytest.mark.parametrize("site", ["lab"], indirect=True)  # Voila would show the same


@pytest.fixture(scope="module", params=["lab", "voila"])
def site(request, browser, tmp_path_factory):
    """A server whose kernels have a net that is quick, for a clip has many frames."""
    home = tmp_path_factory.mktemp(f"clips-{request.param}")
    startup = home / "ipython" / "profile_default" / "startup" / "quick.py"
    startup.parent.mkdir(parents=True)
    startup.write_text(
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "import u2demo.notebook.models as models\n"
        "from bright import Bright\n"
        "models._load = lambda name: Bright()\n"
    )
    with serving(request.param, NOTEBOOKS / "video.ipynb", home) as site:
        yield site


@pytest.fixture(scope="module")
def page(site, browser):
    """The app in a page, with three frames; the tests share it, in order."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(WAIT)
    start(page, site, "video.ipynb")
    wait_until_idle(page, tiles=3)
    yield page
    context.close()


def videos(page):
    """Return what is known of each video, once both have their first frame."""
    page.wait_for_function(
        """() => { const all = [...document.querySelectorAll('.u2-screen video')];
            return all.length === 2 && all.every(video => video.readyState >= 2); }"""
    )
    return page.locator(".u2-screen video").evaluate_all(
        """all => all.map(({videoWidth, videoHeight, duration, src, currentTime}) =>
            ({size: [videoWidth, videoHeight], duration, src, currentTime}))"""
    )


def make(page):
    """Press "Make the clip" and return what is known of the videos."""
    before = page.locator(".u2-screen video").evaluate_all("all => all.map(video => video.src)")
    page.get_by_role("button", name="Make the clip").click()
    page.wait_for_function(
        """before => { const video = [...document.querySelectorAll('.u2-screen video')].at(-1);
            return video?.readyState >= 2 && !before.includes(video.src); }""",
        arg=before,
    )
    wait_until_idle(page, tiles=3)
    return videos(page)


def tile(page, number):
    """Return the picture of one of the three frames."""
    shown = page.locator(".u2-tile img").nth(number)
    source = shown.evaluate(
        "async ({src}) => Array.from(new Uint8Array(await (await fetch(src)).arrayBuffer()))"
    )
    return Image.open(io.BytesIO(bytes(source)))


def test_opens_on_the_packaged_clip_with_three_frames(page, shoot):
    shoot(page.locator(".u2-app"), "clips")
    assert page.locator(".u2-tile button:not(.u2-remove)").all_inner_texts() == [
        "0.0 s",
        "0.7 s",
        "1.4 s",
    ]
    assert all(tile(page, number).mode == "RGBA" for number in range(3))
    assert "launch.mp4, 400 × 300, 1.5 s" in page.locator(".u2-clip").inner_text()
    assert page.locator(".u2-problem").count() == 0


def test_an_effect_is_seen_on_all_three_at_once(page):
    page.get_by_role("button", name="Box", exact=True).click()
    page.wait_for_function(
        "() => !document.querySelector('.u2-tile.u2-clear') && document.querySelector('.u2-tile')"
    )
    assert all(tile(page, number).mode == "RGB" for number in range(3))


def test_the_clip_plays_beside_the_original(page, shoot):
    page.get_by_role("button", name="Box", exact=True).click()
    original, made = make(page)
    assert original["size"] == made["size"] == [400, 300]
    assert made["duration"] == pytest.approx(1.5, abs=0.1)
    assert made["src"].startswith("blob:")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.u2-screen video')].every(v => v.currentTime > 0.2)"
    )
    shown = page.locator(".u2-screen video").last
    edge = shown.evaluate("clip => getComputedStyle(clip).boxShadow")
    assert edge != "none", "a clip on white ends somewhere, too"
    shoot(page.locator(".u2-app"), "clips-made")
    assert "launch_box.mp4" in page.locator(".u2-player").inner_text()


def test_another_effect_makes_another_clip_whose_transparency_shows_the_page(page, shoot):
    page.get_by_role("button", name="Cut out", exact=True).click()
    page.get_by_text("Changed since.").wait_for()
    make(page)
    assert "launch_cutout.webm" in page.locator(".u2-player").inner_text()
    drawn = page.locator(".u2-screen video").last.evaluate(
        """video => {
            const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
            const context = canvas.getContext('2d');
            context.drawImage(video, 0, 0);
            return [...context.getImageData(0, 0, canvas.width, canvas.height).data];
        }"""
    )
    alpha = np.array(drawn, np.uint8).reshape(300, 400, 4)[..., 3]
    assert (alpha < 10).mean() > 0.2 and (alpha > 245).mean() > 0.02
    assert "conic-gradient" in page.locator(".u2-screen video").last.evaluate(
        "video => getComputedStyle(video).backgroundImage"
    )
    shoot(page.locator(".u2-app"), "clips-cutout")


def test_it_is_saved_and_downloaded_whole(page, site):
    page.get_by_role("button", name="Save to results/").click()
    page.get_by_text("Saved to ").wait_for()
    assert [path.name for path in (site.root / "results").iterdir()] == ["launch_cutout.webm"]
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename == "launch_cutout.webm"
    saved = (site.root / "results" / "launch_cutout.webm").read_bytes()
    assert Path(download.value.path()).read_bytes() == saved


@in_lab
def test_mp4_is_refused_for_a_cut_out_before_any_work(page):
    page.get_by_label("Format").select_option("MP4 (H.264)")
    page.get_by_role("button", name="Make the clip").click()
    page.get_by_text("MP4 cannot hold transparency").wait_for()
    page.get_by_label("Format").select_option("Automatic")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A clip of 300 frames that is larger than a server's 10 MiB, and what is not a clip."""
    import av

    folder = tmp_path_factory.mktemp("own")
    noise = np.random.default_rng(0).integers(0, 256, (4, 240, 320, 3), np.uint8)
    noise[:, 60:180, 100:220] = 250
    with av.open(str(folder / "long.mp4"), "w") as out:
        stream = out.add_stream("libx264", rate=30, options={"crf": "12", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(300):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(noise[number % 4], format="rgb24")))
        out.mux(stream.encode())
    assert (folder / "long.mp4").stat().st_size > 12_000_000
    Image.fromarray(noise[0]).save(folder / "photo.jpg")
    (folder / "letter.mp4").write_text("not a clip")
    return folder


def choose(page, path):
    with page.expect_file_chooser() as dialog:
        page.get_by_role("button", name="Choose a clip").click()
    dialog.value.set_files(str(path))


@in_lab
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "photo.jpg",
            "photo.jpg: a photo, not a clip. The notebook one_click.ipynb is for photos.",
        ),
        ("letter.mp4", "letter.mp4: not a clip of a known kind"),
    ],
)
def test_what_is_not_a_clip_is_named_and_the_one_before_stays(name, reason, page, files):
    choose(page, files / name)
    page.locator(".u2-problem", has_text=reason).wait_for()
    assert "launch.mp4" in page.locator(".u2-clip").inner_text()


@in_lab
def test_a_large_clip_of_ones_own_goes_in(page, files, shoot):
    choose(page, files / "long.mp4")
    page.locator(".u2-clip", has_text="long.mp4, 320 × 240, 10.0 s").wait_for()
    wait_until_idle(page, tiles=3)
    assert page.locator(".u2-tile button:not(.u2-remove)").last.inner_text() == "10.0 s"
    assert page.locator(".u2-problem").count() == 0


@in_lab
def test_an_upload_can_be_canceled_and_the_clip_before_stays(page):
    drop = """zone => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([new Uint8Array(2 ** 27)], 'huge.mp4'));
        zone.dispatchEvent(new DragEvent('drop', {dataTransfer, bubbles: true, cancelable: true}));
    }"""
    page.locator(".u2-zone").first.evaluate(drop)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Canceled.").wait_for()
    assert "long.mp4" in page.locator(".u2-clip").inner_text()
    assert page.get_by_role("button", name="Cancel").is_hidden()


@in_lab
def test_stop_ends_the_work_and_leaves_nothing(page, site, shoot):
    page.get_by_role("button", name="Make the clip").click()
    page.get_by_text(re.compile(r"\d left, [\d.]+ frames/s$")).wait_for()
    shoot(page.locator(".u2-app"), "clips-busy")
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped.", exact=True).wait_for()
    wait_until_idle(page, tiles=3)
    assert page.get_by_role("button", name="Make the clip").is_enabled()
    assert [path.name for path in (site.root / "results").iterdir()] == ["launch_cutout.webm"]
    assert page.locator(".u2-player").is_hidden()


@in_lab
def test_no_file_lies_where_a_file_browser_looks(site):
    seen = {path.relative_to(site.root).parts[0] for path in site.root.rglob("*")}
    assert {name for name in seen if "video" not in name} <= {"results", ".ipynb_checkpoints"}
    assert not site.root.is_relative_to(Path(tempfile.gettempdir()) / "u2demo-")
