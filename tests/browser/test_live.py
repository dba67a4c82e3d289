"""The live page in a browser, with a stand-in for the kernel that can fall silent."""

import base64
import io
import json
import re
import time

import numpy as np
import pytest
from live_camera import SIZE, jpeg, square
from PIL import Image
from sites import WAIT, wait_until

from u2demo.notebook.live.masks import mask_as_png
from u2demo.notebook.live.page import LivePage

WIDTH, HEIGHT = (4 * side for side in SIZE)  # of the fake camera
# A model as anywidget gives it. The kernel behind it answers each message, unless it is `silent`.
KERNEL = """
const asBytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
globalThis.kernel = {silent: false, hangs: false, doing: '', problem: '', heard: [], takes: 5};
globalThis.tracks = [];
globalThis.watchers = [];
globalThis.IntersectionObserver = class extends IntersectionObserver {
  constructor(watch) {
    super(watch);
    watchers.push(watch);
  }
};
const TRAITS = {
  samples: [asBytes(given.sample)], keep: 'results/', patience: 0.5, advice: 'OpenCV would help.',
};
const listeners = new Set();
const tell = (message, bytes) => listeners.forEach((listen) => listen(message, [bytes]));
globalThis.hear = tell;
const replies = {
  frame({number}) {
    tell({kind: 'receipt', doing: kernel.doing});
    if (!kernel.hangs) tell({kind: 'mask', number, box: [0, 0, 0.5, 1]}, asBytes(given.mask));
  },
  photo({number}) {
    const answer = {kind: 'photo', number, box: [0, 0, 0.5, 1], text: 'Also in the app.'};
    if (!kernel.hangs) tell(answer, asBytes(given.cutout));
  },
  piece({number, name}) {
    const {hangs, problem} = kernel;
    kernel.piece = number;
    kernel.file = name;
    if (!hangs) tell({kind: 'piece', number, text: 'Saved: here', problem});
  },
  stop() {},
};
const model = {
  get: (name) => TRAITS[name],
  on: (event, listen) => listeners.add(listen),
  off: (event, listen) => listeners.delete(listen),
  send(message, _, [bytes]) {
    if (kernel.isDead) throw new Error('Cannot send');
    kernel.heard.push(message.kind);
    if (message.kind === 'photo') kernel.photoSize = bytes.byteLength;
    if (message.kind === 'frame') kernel.frame = bytes;
    if (!kernel.silent) setTimeout(() => replies[message.kind](message), kernel.takes);
  },
};
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  if (globalThis.refusal) throw new DOMException('no', globalThis.refusal);
  kernel.wanted = wanted.video.deviceId?.exact;
  const stream = await open({video: true});
  tracks.push(...stream.getTracks());
  return stream;
};
"""
HIDE = """
Object.defineProperty(document, 'hidden', {value: HIDDEN, configurable: true});
document.dispatchEvent(new Event('visibilitychange'));
"""


def encoded(data):
    return base64.b64encode(data).decode()


def left_half():
    """A mask whose subject is the left half of the picture."""
    mask = np.zeros(SIZE[::-1], np.float32)
    mask[:, : SIZE[0] // 2] = 1
    return mask


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    cutout = io.BytesIO()
    picture = Image.new("RGBA", (WIDTH, HEIGHT))
    picture.paste("red", (0, 0, WIDTH // 2, HEIGHT))
    picture.save(cutout, "PNG")
    given = {
        "mask": encoded(mask_as_png(left_half())),
        "cutout": encoded(cutout.getvalue()),
        "sample": encoded(jpeg(square(0))),
    }
    module = LivePage._esm.replace("export default", "const app =")  # what anywidget sends
    start = "globalThis.close = await app.render({model, el: document.querySelector('main')});"
    file = tmp_path_factory.mktemp("live") / "page.html"
    file.write_text(
        f"<!doctype html><meta charset=utf-8><style>{LivePage._css}</style><main></main>"
        f"<script type=module>const given = {json.dumps(given)};{KERNEL}{module}\n{start}</script>"
    )
    context = browser.new_context(permissions=["camera"], accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(WAIT)
    page.goto(file.as_uri())
    page.locator(".u2-live").wait_for()
    yield page
    context.close()


@pytest.fixture
def camera(page):
    """The page with the camera's picture."""
    page.evaluate(
        "Object.assign(kernel, {silent: false, hangs: false, doing: ''}); tracks.length = 0"
    )
    press(page, "Start camera")
    wait_for_masks(page)
    yield page
    if page.get_by_role("button", name="Stop", exact=True).is_visible():
        press(page, "Stop")


def text(selector):
    return f"document.querySelector('{selector}').textContent"


def wait_for_masks(page):
    page.wait_for_function(f"/masks.*{WIDTH}×{HEIGHT}/.test({text('.u2-figures')})")


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def asks_before_it_closes(page):
    return page.evaluate("!dispatchEvent(new Event('beforeunload', {cancelable: true}))")


def light(page):
    """Return the states of the tracks that the page has had from the camera."""
    return set(page.evaluate("tracks.map((track) => track.readyState)"))


def said(page, sentence):
    page.locator(".u2-say").get_by_text(sentence).wait_for()


def colors(page):
    """Return the canvas as the page shows it, (H, W, 4)."""
    url = page.evaluate("document.querySelector('.u2-canvas').toDataURL()")
    return np.asarray(
        Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGBA")
    )


def is_quiet(page):
    """Return whether the page has stopped sending frames."""
    page.wait_for_timeout(100)
    heard = page.evaluate("kernel.heard.push('') && kernel.heard.length")
    page.wait_for_timeout(1300)  # a frame without an answer is repeated after one second
    return page.evaluate("kernel.heard.length") == heard


def test_a_sample_plays_on_opening(page):
    page.wait_for_function(f"/masks.*720×540/.test({text('.u2-figures')})")
    assert page.locator(".u2-canvas").is_visible() and light(page) == set()


def test_the_page_says_what_leaves_it(page):
    privacy = page.get_by_text("only small frames, the photos you take and what you save")
    assert privacy.is_visible()
    assert "kernel" not in privacy.inner_text(), "a word for programmers"


def test_the_keyboard_goes_from_start_to_stop_and_back(camera):
    for name, other in [("Stop", "Start camera"), ("Start camera", "Stop")]:
        camera.get_by_role("button", name=name).press("Enter")
        camera.wait_for_function(f"document.activeElement.textContent === '{other}'")


def test_the_camera_is_cut_out_at_its_own_size(camera):
    assert light(camera) == {"live"}
    picture = colors(camera)
    assert picture.shape == (HEIGHT, WIDTH, 4)
    assert picture[:, : WIDTH // 2 - 9, 3].min() == 255, "the subject: the left half"
    assert picture[:, WIDTH // 2 + 9 :, 3].max() == 0


def test_a_picture_in_the_page_s_own_color_has_an_edge(camera):
    camera.get_by_role("button", name="Color", exact=True).click()
    edge = camera.locator(".u2-canvas").evaluate("canvas => getComputedStyle(canvas).boxShadow")
    assert edge != "none"


def test_figures_that_change_all_the_time_are_not_read_out(camera):
    (status,) = camera.locator(".u2-live").get_by_role("status").all()
    assert "u2-say" in status.get_attribute("class")


def test_advice_is_shown_for_as_long_as_masks_are_slow(camera):
    advice = camera.get_by_text("OpenCV would help.")
    camera.evaluate("kernel.takes = 400")
    advice.wait_for()
    camera.evaluate("kernel.takes = 5")
    advice.wait_for(state="hidden")


def test_where_masks_take_half_a_second_each_is_of_a_new_frame(camera):
    def delay():
        return int(*re.findall(r"([0-9]+) ms", camera.evaluate(text(".u2-figures"))))

    camera.evaluate("kernel.takes = 500")
    camera.wait_for_timeout(4000)
    wait_until(lambda: 500 <= delay() < 1500)
    camera.evaluate("kernel.takes = 5")


def test_frames_stay_new_while_the_picture_stands_still_for_a_photo(camera):
    camera.evaluate("kernel.hangs = true")
    press(camera, "Photo")
    camera.wait_for_timeout(1100)
    camera.evaluate("kernel.earlier = String(new Uint8Array(kernel.frame))")
    camera.wait_for_function("String(new Uint8Array(kernel.frame)) !== kernel.earlier")
    camera.evaluate("kernel.hangs = false")


def test_a_mirror_turns_what_the_kernel_sees_as_well(camera):
    def lean():
        """Return by how much the right of the newest frame is redder than its left."""
        frame = bytes(camera.evaluate("[...new Uint8Array(kernel.frame)]"))
        red = np.asarray(Image.open(io.BytesIO(frame)))[..., 0].astype(float)
        return red[:16, -8:].mean() - red[:16, :8].mean()

    camera.get_by_label("Mirror").uncheck()
    wait_until(lambda: lean() < -40)
    camera.get_by_label("Mirror").check()
    wait_until(lambda: lean() > 40)


def test_another_effect_needs_no_other_mask(camera):
    camera.evaluate("kernel.hangs = true")
    camera.wait_for_timeout(100)
    press(camera, "Color")
    camera.get_by_label("Background color").fill("#00ff00")
    wait_until(lambda: (colors(camera)[:, WIDTH // 2 + 9 :] == (0, 255, 0, 255)).all())
    for effect in ("Photo behind", "Blur", "Box", "Highlight"):
        press(camera, "Cut out")
        wait_until(lambda: colors(camera)[..., 3].min() == 0)
        press(camera, effect)
        wait_until(lambda: colors(camera)[..., 3].min() > 250)
    press(camera, "Cut out")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_picture_stays_where_it_is_when_an_effect_has_an_option(camera, width):
    camera.set_viewport_size({"width": width, "height": 844})
    tops = set()
    for effect in ("Color", "Photo behind", "Cut out"):
        press(camera, effect)
        tops.add(camera.locator(".u2-canvas").bounding_box()["y"])
    camera.set_viewport_size({"width": 1280, "height": 720})
    assert len(tops) == 1


def test_the_picture_stays_where_it_is_when_there_is_something_to_say(camera):
    before = camera.locator(".u2-canvas").bounding_box()
    camera.evaluate("kernel.silent = true")
    said(camera, "The kernel does not answer.")
    assert camera.locator(".u2-canvas").bounding_box() == before
    camera.evaluate("kernel.silent = false")


def test_on_a_phone_what_is_below_stays_where_it_is_when_masks_take_longer(camera):
    camera.set_viewport_size({"width": 390, "height": 844})
    tops = camera.evaluate(
        """['', '320×240', '25 masks/s, 40 ms, 320×240', '0.5 masks/s, 2695 ms, 1280×720']
            .map((figures) => {
                document.querySelector('.u2-figures').textContent = figures;
                return document.querySelector('.u2-hint:last-child').offsetTop;
            })"""
    )
    camera.set_viewport_size({"width": 1280, "height": 720})
    assert len(set(tops)) == 1


def test_a_background_that_can_be_read_ends_the_complaint_about_one_that_cannot(camera):
    press(camera, "Photo behind")
    choose = camera.locator(".u2-file")
    choose.set_input_files({"name": "a.heic", "mimeType": "image/heic", "buffer": b"no"})
    said(camera, "a.heic is not a picture that this browser can read.")
    choose.set_input_files({"name": "b.jpg", "mimeType": "image/jpeg", "buffer": jpeg(square(0))})
    camera.wait_for_function(f"{text('.u2-say')} === ''", timeout=10_000)
    press(camera, "Cut out")


def test_stop_turns_the_light_out_and_the_kernel_gets_no_more_frames(camera):
    press(camera, "Stop")
    assert light(camera) == {"ended"}
    assert "stop" in camera.evaluate("kernel.heard.slice(-2)")
    assert is_quiet(camera)
    assert camera.get_by_role("button", name="Start camera").is_visible()


def test_a_hidden_page_turns_the_light_out_until_it_is_seen_again(camera):
    camera.evaluate(HIDE.replace("HIDDEN", "true"))
    assert light(camera) == {"ended"} and is_quiet(camera)
    camera.evaluate("tracks.length = 0;" + HIDE.replace("HIDDEN", "false"))
    wait_for_masks(camera)
    assert light(camera) == {"live"}


def test_out_of_sight_the_light_is_out(camera):
    camera.evaluate("document.querySelector('main').style.display = 'none'")
    camera.wait_for_function("tracks[0].readyState === 'ended'")
    camera.evaluate("tracks.length = 0; document.querySelector('main').style.display = ''")
    wait_for_masks(camera)


def test_a_busy_page_that_hears_late_that_it_was_away_and_is_back_goes_on(camera):
    camera.evaluate("watchers.at(-1)([{isIntersecting: false}, {isIntersecting: true}])")
    assert light(camera) == {"live"}


def test_one_frame_is_on_its_way_and_a_lost_one_is_sent_again(camera):
    camera.evaluate("kernel.hangs = true")
    camera.wait_for_timeout(1000)
    camera.evaluate("kernel.heard.length = 0")
    camera.wait_for_timeout(2500)
    assert 1 <= camera.evaluate("kernel.heard.length") <= 3
    camera.evaluate("kernel.hangs = false; kernel.heard.length = 0")
    camera.wait_for_function("kernel.heard.length > 5")


def test_a_silent_kernel_is_a_sentence_and_the_picture_goes_on_when_it_answers(camera):
    camera.evaluate("kernel.silent = true")
    said(camera, "The kernel does not answer. If it is busy with other work")
    assert light(camera) == {"live"}
    camera.evaluate("kernel.silent = false")
    camera.wait_for_function(f"{text('.u2-say')} === ''")


def test_a_kernel_that_stays_silent_turns_the_light_out(camera):
    camera.evaluate("kernel.silent = true")
    said(camera, "for so long that the camera is off")
    assert light(camera) == {"ended"}


def test_without_a_kernel_the_light_goes_out_and_what_was_taken_is_not_forgotten(camera):
    press(camera, "Photo")
    camera.locator(".u2-take img").wait_for()
    camera.evaluate("kernel.isDead = true")
    said(camera, "has stopped, download what you want to keep, then run this cell again.")
    said(camera, "for so long that the camera is off")
    assert light(camera) == {"ended"}
    press(camera, "Start camera")
    press(camera, "Stop")
    assert camera.get_by_role("button", name="Start camera").is_visible()
    camera.evaluate("kernel.isDead = false")
    camera.locator(".u2-remove").click()


def test_without_a_kernel_a_page_without_cells_is_loaded_again(camera):
    camera.evaluate("document.body.dataset.voila = 'voila'; kernel.silent = true")
    said(camera, "if it was restarted or has stopped, reload the page.")
    camera.evaluate("delete document.body.dataset.voila")


def test_a_network_that_is_loaded_is_waited_for(page):
    page.evaluate(
        "Object.assign(kernel, {silent: false, hangs: true, doing: 'Loading the network…'})"
    )
    press(page, "Start camera")
    said(page, "Loading the network…")
    page.evaluate("Object.assign(kernel, {hangs: false, doing: ''})")
    page.wait_for_function(f"{text('.u2-say')} === '' && /masks/.test({text('.u2-figures')})")
    press(page, "Stop")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("NotAllowedError", "The browser refused the camera. Allow it in the address bar"),
        ("NotFoundError", "No camera was found on this computer."),
        ("NotReadableError", "The camera is busy in another program."),
        ("OverconstrainedError", "This camera is no longer there. Choose another one."),
    ],
)
def test_a_camera_that_does_not_start_is_a_sentence_and_can_be_tried_again(page, name, sentence):
    page.evaluate("name => { refusal = name; }", name)
    press(page, "Start camera")
    said(page, sentence)
    page.evaluate("refusal = null")
    assert page.get_by_role("button", name="Start camera").is_enabled()
    assert page.get_by_role("button", name="Play the sample").is_visible()


def test_a_page_that_is_not_secure_is_a_sentence(page):
    page.evaluate(
        "Object.defineProperty(navigator, 'mediaDevices', {value: null, configurable: true})"
    )
    press(page, "Start camera")
    said(page, "The camera needs a secure page")
    page.evaluate("delete navigator.mediaDevices")


TWO_CAMERAS = """
navigator.mediaDevices.enumerateDevices = async () => ['Front', 'Back'].map((label) => (
  {kind: 'videoinput', deviceId: label.toLowerCase(), label}));
navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
"""


def test_one_of_several_cameras_can_be_chosen(camera):
    assert camera.get_by_label("Camera", exact=True).is_hidden(), "there is but one"
    camera.evaluate(TWO_CAMERAS)
    camera.get_by_label("Camera", exact=True).select_option("Back")
    camera.wait_for_function("kernel.wanted === 'back' && tracks.length === 2")
    wait_for_masks(camera)
    assert camera.evaluate("tracks.map((track) => track.readyState)") == ["ended", "live"]
    camera.evaluate("delete navigator.mediaDevices.enumerateDevices")


def test_another_device_does_not_change_which_camera_was_chosen(camera):
    camera.evaluate(TWO_CAMERAS)
    camera.get_by_label("Camera", exact=True).select_option("Back")
    camera.wait_for_function("kernel.wanted === 'back' && tracks.length === 2")
    press(camera, "Stop")
    camera.evaluate("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
    camera.wait_for_timeout(100)
    press(camera, "Start camera")
    wait_for_masks(camera)
    assert camera.evaluate("kernel.wanted") == "back"
    camera.evaluate("delete navigator.mediaDevices.enumerateDevices")


def test_a_camera_that_is_pulled_out_is_a_sentence(camera):
    camera.evaluate("tracks[0].dispatchEvent(new Event('ended'))")
    said(camera, "The camera was disconnected. Connect it or choose another one")
    assert is_quiet(camera)


def test_a_photo_has_the_clean_colors_and_can_be_saved(camera):
    press(camera, "Photo")
    camera.locator(".u2-take img").wait_for()
    assert camera.get_by_text("Also in the app.").is_visible()
    with camera.expect_download() as download:
        camera.get_by_role("link", name="Download").click()
    picture = Image.open(download.value.path())
    assert picture.mode == "RGBA" and picture.size == (WIDTH, HEIGHT)
    assert picture.getpixel((9, 9)) == (255, 0, 0, 255), "the colors that the kernel found"
    assert picture.getpixel((WIDTH - 9, 9))[3] == 0
    camera.evaluate("kernel.problem = 'the disk is full'")
    press(camera, "Save to results/")
    camera.get_by_text("Not saved: the disk is full").wait_for()
    camera.evaluate("kernel.problem = ''")
    press(camera, "Save to results/")
    camera.get_by_text("Saved: here").wait_for()
    shown = camera.locator(".u2-name").inner_text()
    assert camera.evaluate("kernel.file") == download.value.suggested_filename == shown
    camera.locator(".u2-remove").click()
    assert camera.locator(".u2-take").count() == 0


def test_a_photo_has_all_pixels_that_the_camera_gives_a_still(camera):
    camera.evaluate(
        """([width, height]) => {
            globalThis.ImageCapture = class {
                async takePhoto() {
                    return new Promise((resolve) => blank(width, height).toBlob(resolve));
                }
            };
            const blank = (width, height) =>
                Object.assign(document.createElement('canvas'), {width, height});
        }""",
        [3 * WIDTH, 2 * HEIGHT],
    )
    press(camera, "Photo")
    camera.locator(".u2-take img").wait_for()
    with camera.expect_download() as download:
        camera.get_by_role("link", name="Download").click()
    assert Image.open(download.value.path()).size == (3 * WIDTH, 2 * HEIGHT)
    camera.locator(".u2-remove").click()


def test_a_still_of_many_megapixels_is_a_message_that_a_server_takes(camera):
    """Noise is more than any photo of its size."""
    camera.evaluate(
        """() => {
            globalThis.ImageCapture = class {
                async takePhoto() {
                    const canvas = document.createElement('canvas');
                    Object.assign(canvas, {width: 4096, height: 3072});
                    const context = canvas.getContext('2d');
                    const noise = context.createImageData(canvas.width, canvas.height);
                    new Uint32Array(noise.data.buffer).forEach((_, place, colors) => {
                        colors[place] = 0xff000000 | (Math.random() * 0x1000000);
                    });
                    context.putImageData(noise, 0, 0);
                    return new Promise((resolve) => canvas.toBlob(resolve));
                }
            };
        }"""
    )
    press(camera, "Photo")
    camera.locator(".u2-take img").wait_for()
    assert 1e6 < camera.evaluate("kernel.photoSize") < 10e6
    camera.locator(".u2-remove").click()


@pytest.mark.parametrize(
    "fault", ["undefined", "class { takePhoto() { throw new Error('busy'); } }"]
)
def test_a_camera_without_stills_gives_what_the_picture_shows(camera, fault):
    camera.evaluate(f"() => {{ globalThis.ImageCapture = {fault}; }}")
    press(camera, "Photo")
    camera.locator(".u2-take img").wait_for()
    with camera.expect_download() as download:
        camera.get_by_role("link", name="Download").click()
    assert Image.open(download.value.path()).size == (WIDTH, HEIGHT)
    camera.locator(".u2-remove").click()


def test_stop_gives_a_photo_up_without_a_word_but_not_a_file_that_is_being_saved(camera):
    press(camera, "Photo")
    camera.locator(".u2-take img").wait_for()
    camera.evaluate("kernel.hangs = true")
    press(camera, "Save to results/")
    press(camera, "Photo")
    said(camera, "Looking closely at the photo.")
    press(camera, "Stop")
    camera.wait_for_function(f"{text('.u2-say')} === ''")
    assert camera.locator(".u2-kept").inner_text() == "Saving…"
    camera.locator(".u2-remove").click()


def test_a_photo_also_comes_when_the_page_is_hidden_meanwhile(camera):
    camera.evaluate("kernel.takes = 1000")
    press(camera, "Photo")
    said(camera, "Looking closely at the photo.")
    camera.evaluate(HIDE.replace("HIDDEN", "true"))
    camera.locator(".u2-take img").wait_for(timeout=20_000)
    said(camera, "Paused while it is out of sight.")
    camera.evaluate("kernel.takes = 5;" + HIDE.replace("HIDDEN", "false"))
    wait_for_masks(camera)
    camera.locator(".u2-remove").click()


def test_where_a_file_goes_a_person_may_first_have_to_allow_it(camera):
    press(camera, "Photo")
    camera.locator(".u2-take img").wait_for()
    press(camera, "Stop")
    camera.evaluate("kernel.hangs = true; globalThis.later = setTimeout")
    camera.evaluate("globalThis.setTimeout = (task, time) => later(task, time / 100)")
    press(camera, "Save to results/")
    camera.wait_for_timeout(600)  # on the page: a minute
    assert camera.locator(".u2-kept").inner_text() == "Saving…"
    camera.evaluate("hear({kind: 'piece', number: kernel.piece, text: 'Saved: here'})")
    camera.get_by_text("Saved: here").wait_for()
    camera.evaluate("globalThis.setTimeout = later")
    camera.locator(".u2-remove").click()


def test_a_recording_plays_and_is_transparent_where_the_picture_is(camera, tmp_path):
    av = pytest.importorskip("av")
    press(camera, "Record")
    camera.get_by_text("Stop recording 0:01").click()
    camera.locator(".u2-take video").wait_for()
    with camera.expect_download() as download:
        camera.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.endswith(".webm")
    with av.open(str(download.value.path())) as film:
        track = film.streams.video[0]
        assert (track.width, track.height) == (WIDTH, HEIGHT)
        assert track.metadata["alpha_mode"] == "1"
        decoder = av.CodecContext.create(f"libvpx-{track.codec_context.name}", "r")
        frames = [each for packet in film.demux(track) for each in decoder.decode(packet)]
    assert len(frames) > 3
    alpha = frames[-1].to_ndarray(format="rgba")[..., 3]
    assert alpha[:, : WIDTH // 2 - 16].mean() > 240 and alpha[:, WIDTH // 2 + 16 :].mean() < 15
    camera.locator(".u2-remove").click()


def test_a_recording_leaves_out_the_time_in_which_the_picture_stands_still(camera):
    av = pytest.importorskip("av")
    press(camera, "Record")
    begun = time.monotonic()
    camera.get_by_text("Stop recording 0:01").wait_for()
    camera.evaluate("kernel.takes = 3000")
    press(camera, "Photo")
    camera.locator(".u2-take img").wait_for()
    camera.evaluate("kernel.takes = 5")
    camera.get_by_text(re.compile(r"Stop recording 0:0[23]")).click()
    recorded = time.monotonic() - begun
    camera.locator(".u2-take video").wait_for()
    with camera.expect_download() as download:
        camera.get_by_role("link", name="Download").first.click()
    with av.open(str(download.value.path())) as film:
        length = max(packet.pts * packet.time_base for packet in film.demux(video=0) if packet.size)
    assert 1 < length < recorded - 2.5
    for _ in range(2):
        camera.locator(".u2-remove").first.click()


def test_a_camera_that_is_turned_ends_the_recording_and_squeezes_no_picture(camera):
    press(camera, "Record")
    camera.get_by_text("Stop recording 0:01").wait_for()
    camera.evaluate(
        """([width, height]) => Object.defineProperties(document.querySelector('video'),
            {videoWidth: {value: width}, videoHeight: {value: height}})""",
        [HEIGHT, WIDTH],
    )
    camera.locator(".u2-take video").wait_for(timeout=20_000)
    said(camera, "The camera's picture has another shape now")
    assert colors(camera).shape == (WIDTH, HEIGHT, 4)
    size = "({videoWidth, videoHeight}) => [videoWidth, videoHeight]"
    camera.wait_for_function(f"({size})(document.querySelector('.u2-take video'))[0] > 0")
    assert camera.locator(".u2-take video").evaluate(size) == [WIDTH, HEIGHT]
    camera.locator(".u2-remove").click()


def test_a_page_asks_before_it_takes_along_what_is_nowhere_else(camera):
    assert not asks_before_it_closes(camera)
    press(camera, "Record")
    assert asks_before_it_closes(camera)
    camera.get_by_text("Stop recording 0:01").click()
    camera.locator(".u2-take video").wait_for()
    assert asks_before_it_closes(camera)
    with camera.expect_download():
        camera.get_by_role("link", name="Download").click()
    assert not asks_before_it_closes(camera)
    camera.locator(".u2-remove").click()
    press(camera, "Photo")
    camera.locator(".u2-take img").wait_for()
    assert asks_before_it_closes(camera)
    press(camera, "Save to results/")
    camera.get_by_text("Saved: here").wait_for()
    assert not asks_before_it_closes(camera)
    camera.locator(".u2-remove").click()


def test_a_failure_of_the_network_is_a_sentence(camera):
    camera.evaluate("hear({kind: 'problem', text: 'The network failed: no memory'})")
    said(camera, "The network failed: no memory")
    assert light(camera) == {"ended"}


def test_a_closed_page_turns_the_light_out(camera):
    camera.evaluate("close()")
    assert light(camera) == {"ended"} and camera.locator(".u2-live").count() == 0
    assert is_quiet(camera)
