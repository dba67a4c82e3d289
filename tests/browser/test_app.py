"""A person's visit to the one-click app, step by step, in JupyterLab and in Voila."""

import io
import re
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image
from sites import in_the_kernel, wait_until, wait_until_idle

LESS_OR_MORE = "Less / more"
LARGE = "u2net: any subject, a little better; twice as slow – 176 MB"
PEOPLE = "u2net_human_seg: people; twice as slow"
SAMPLES = ["coffee.png", "cows.jpg", "cat.jpeg", "astronaut.jpg", "rocket.jpg"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A photo larger than a server's 10 MiB, a turned one with a wrong suffix, and a text file."""
    folder = tmp_path_factory.mktemp("photos")
    noise = np.random.default_rng(0).integers(0, 256, (2300, 2300, 3), np.uint8)
    noise[600:1500, 700:1400] = 250
    Image.fromarray(noise).save(folder / "large.png")
    assert (folder / "large.png").stat().st_size > 12_000_000
    exif = Image.Exif()
    exif[0x0112] = 6
    small = Image.new("RGB", (300, 200), "navy")
    small.paste("gold", (100, 50, 200, 150))
    small.save(folder / "turned.txt", "JPEG", exif=exif)
    (folder / "letter.jpg").write_text("not a photo")
    return {path.name: str(path) for path in folder.iterdir()}


def choose(page, *paths):
    """Answer the dialog that "Choose photos" opens."""
    with page.expect_file_chooser() as dialog:
        page.get_by_role("button", name="Choose photos").click()
    dialog.value.set_files(list(paths))


def result_on_stage(page):
    """Return what the right side of the divider shows."""
    source = page.locator("img.u2-after").evaluate(
        "async image => Array.from(new Uint8Array(await (await fetch(image.src)).arrayBuffer()))"
    )
    return Image.open(io.BytesIO(bytes(source)))


def wait_for_another_picture(page, action):
    """Do ``action``; return once the stage shows something else."""
    before = page.locator("img.u2-after").get_attribute("src")
    action()
    page.wait_for_function(
        "before => document.querySelector('img.u2-after').src !== before", arg=before
    )


def file_tree(root):
    """Return what lies below ``root`` but for the notebook and the checkpoint Lab makes of it."""
    return {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and not path.name.startswith("one_click")
    }


def tile_names(page):
    return page.locator(".u2-tile button:not(.u2-remove)").all_inner_texts()


def asks_before_it_closes(page):
    return page.evaluate("!dispatchEvent(new Event('beforeunload', {cancelable: true}))")


def tiles(page):
    return page.locator(".u2-tile").count()


def add(page, *paths):
    """Choose photos, and wait until they are in the gallery, without the samples."""
    own = 0 if tile_names(page) == SAMPLES else tiles(page)
    choose(page, *paths)
    wait_until_idle(page, tiles=own + len(paths))


def test_opens_on_the_samples_with_results_to_see(app, shoot):
    shoot(app.locator(".u2-app"), "app")
    assert result_on_stage(app).mode == "RGBA"
    assert app.locator(".u2-problem").count() == 0
    assert tile_names(app) == SAMPLES


def test_toolbar_stage_and_download_are_in_sight_together(app):
    app.set_viewport_size({"width": 1280, "height": 720})
    app.wait_for_function("innerHeight === 720")
    if app.locator(".jp-NotebookPanel").count() == 0:  # JupyterLab has scrolled there by itself
        app.locator(".u2-top").evaluate("top => top.scrollIntoView()")
    app.wait_for_function(
        """() => ['.u2-toolbar', '.u2-view', '.u2-saver .u2-primary'].every((name) => {
            const {top, bottom} = document.querySelector(name).getBoundingClientRect();
            return top >= 0 && bottom <= innerHeight;
        })"""
    )
    squeezed = """[...document.querySelectorAll('.u2-settings, .u2-settings *')].filter((each) =>
        each.matches('.widget-vbox') && each.clientHeight < each.scrollHeight - 1
        && getComputedStyle(each).overflowY !== 'auto').length"""
    assert app.evaluate(squeezed) == 0, "what has no room scrolls"
    app.set_viewport_size({"width": 1280, "height": 900})


def test_the_cross_of_every_photo_is_white_on_its_dark_ground(app):
    colors = "crosses => crosses.map((each) => getComputedStyle(each).color)"
    assert set(app.locator(".u2-remove").evaluate_all(colors)) == {"rgb(255, 255, 255)"}


def test_the_toolbar_covers_nothing_of_a_photo_that_is_chosen(app):
    app.set_viewport_size({"width": 1280, "height": 720})
    app.wait_for_function("innerHeight === 720")
    app.locator(".u2-shelf").evaluate("shelf => shelf.scrollIntoView({block: 'end'})")
    for name in ("cows.jpg", "coffee.png"):
        app.locator(".u2-tile button", has_text=name).first.click()
        app.locator(".u2-chosen button", has_text=name).wait_for()
        app.wait_for_function(
            """() => {
                const [bar, stage] = ['.u2-bar', '.u2-stage-box'].map((name) =>
                    document.querySelector(name).getBoundingClientRect());
                return stage.top >= bar.bottom - 1;
            }"""
        )
    app.set_viewport_size({"width": 1280, "height": 900})


def test_what_is_not_to_be_seen_leaves_no_gap(app):
    empty = app.locator(".u2-app > *, .u2-settings > *").evaluate_all(
        "parts => parts.filter(part => part.checkVisibility() && !part.offsetHeight).length"
    )
    assert empty == 0


def test_the_settings_scroll_as_one_and_no_name_of_them_is_cut_off(app):
    assert app.locator(".u2-settings > *:visible").evaluate_all(
        "parts => parts.every(part => part.scrollHeight <= part.clientHeight)"
    )
    cut_off = app.locator(".u2-settings .widget-label:visible").evaluate_all(
        "names => names.filter(name => name.scrollWidth > name.clientWidth)"
        ".map(name => name.textContent)"
    )
    assert cut_off == []


def test_the_gallery_is_one_stop_of_the_keyboard_and_arrows_lead_through_it(app):
    for key, name in (("ArrowRight", "cows.jpg"), ("End", "rocket.jpg"), ("Home", "coffee.png")):
        app.locator(".u2-chosen button:not(.u2-remove)").press(key)
        app.locator(".u2-chosen button", has_text=name).wait_for()
        assert app.evaluate("document.activeElement.textContent") == name
    wait_until(lambda: app.locator(".u2-gallery button[tabindex='0']").count() == 1)


def test_a_click_right_after_an_arrow_key_has_the_last_word(app):
    clicked = app.locator(".u2-gallery").evaluate(
        """async gallery => {
            const names = [];
            gallery.addEventListener("click", ({target}) => names.push(target.textContent));
            const key = new KeyboardEvent("keydown", {key: "End", bubbles: true});
            gallery.querySelector(".u2-chosen button:not(.u2-remove)").dispatchEvent(key);
            gallery.querySelectorAll(".u2-tile button:not(.u2-remove)")[0].click();
            await new Promise(resolve => setTimeout(resolve, 400));
            return names;
        }"""
    )
    assert clicked == ["coffee.png"]


def test_delete_removes_a_photo_the_focus_goes_on_and_undo_brings_it_back(app):
    app.locator(".u2-tile button", has_text="cat.jpeg").press("Delete")
    app.locator(".u2-offer", has_text="cat.jpeg removed.").wait_for()
    app.wait_for_function("document.activeElement.textContent === 'astronaut.jpg'")
    app.locator(".u2-offer").get_by_role("button", name="Undo").click()
    app.locator(".u2-chosen button", has_text="cat.jpeg").wait_for()
    wait_until(lambda: tile_names(app) == SAMPLES)


@pytest.mark.parametrize("size", [(1280, 900), (1280, 720), (480, 700)])
def test_undo_is_in_the_window_when_a_photo_is_removed(size, app):
    before = app.viewport_size
    app.set_viewport_size({"width": size[0], "height": size[1]})
    app.locator(".u2-stage-box").evaluate("stage => stage.scrollIntoView()")
    tile = app.locator(".u2-tile", has_text="cows.jpg")
    tile.locator(".u2-remove").dispatch_event("click")
    undo = app.locator(".u2-offer").get_by_role("button", name="Undo")
    undo.wait_for()
    in_sight = """undo => {
        const {left, right, top, bottom} = undo.getBoundingClientRect();
        return undo.contains(document.elementFromPoint((left + right) / 2, (top + bottom) / 2));
    }"""
    assert undo.evaluate(in_sight)
    undo.dispatch_event("click")
    tile.wait_for()
    app.set_viewport_size(before)
    app.locator(".u2-tile button", has_text="coffee.png").click()
    app.locator(".u2-chosen button", has_text="coffee.png").wait_for()


def test_a_photo_brought_back_is_in_sight_in_the_strip(app):
    size = app.viewport_size
    app.set_viewport_size({"width": 480, "height": 900})
    app.locator(".u2-tile button", has_text="rocket.jpg").press("Delete")
    app.locator(".u2-offer", has_text="rocket.jpg removed.").wait_for()
    app.locator(".u2-gallery").evaluate("strip => { strip.scrollLeft = 0; }")
    app.locator(".u2-offer").get_by_role("button", name="Undo").click()
    app.locator(".u2-chosen button", has_text="rocket.jpg").wait_for()
    app.wait_for_function(
        """() => {
            const [tile, strip] = ['.u2-chosen', '.u2-gallery'].map(
                name => document.querySelector(name).getBoundingClientRect());
            return tile.left >= strip.left && tile.right <= strip.right;
        }"""
    )
    app.set_viewport_size(size)
    app.locator(".u2-tile button", has_text="coffee.png").click()
    app.locator(".u2-chosen button", has_text="coffee.png").wait_for()


def test_a_setting_is_the_photo_s_own_and_a_double_click_puts_it_back(app):
    slider = app.get_by_role("slider", name=LESS_OR_MORE)
    slider.press("ArrowRight")
    app.locator(".u2-chosen.u2-own").wait_for()
    app.get_by_role("button", name="Apply to all").wait_for()
    slider.dblclick()
    app.locator(".u2-own").wait_for(state="detached")
    app.get_by_role("button", name="Apply to all").wait_for(state="hidden")


def test_the_usual_colors_are_one_row_of_circles(app):
    app.get_by_role("button", name="Color", exact=True).click()
    usual = app.locator(".u2-swatches:visible").first.locator("button")
    usual.first.wait_for()
    boxes = [usual.nth(place).bounding_box() for place in range(usual.count())]
    assert len(boxes) == 9
    assert len({box["y"] for box in boxes}) == 1
    assert all(abs(box["width"] - box["height"]) < 1 and box["width"] >= 20 for box in boxes)
    app.get_by_role("button", name="Cut out", exact=True).click()


def test_a_value_that_the_page_holds_back_is_not_taken_for_the_next_photo_s(app):
    app.get_by_role("slider", name=LESS_OR_MORE).evaluate(
        """handle => { // faster than any kernel answers
            const key = {key: "ArrowRight", bubbles: true};
            for (const _ of Array(5)) handle.dispatchEvent(new KeyboardEvent("keydown", key));
            document.querySelectorAll(".u2-tile button:not(.u2-remove)")[1].click();
        }"""
    )
    app.locator(".u2-chosen button", has_text="cows.jpg").wait_for()
    app.get_by_role("button", name="Apply to all").wait_for()
    readout = app.locator(".widget-slider", has=app.get_by_role("slider", name=LESS_OR_MORE))
    readout.locator(".widget-readout", has_text="50%").wait_for()
    app.locator(".u2-tile.u2-own button", has_text="coffee.png").click()
    readout.locator(".widget-readout", has_text="55%").wait_for()
    wait_until(lambda: app.locator(".u2-own").count() == 1)
    app.get_by_role("button", name="Reset settings").click()
    app.locator(".u2-own").wait_for(state="detached")


def test_fast_and_best_are_compared_on_the_divider(app, shoot):
    compare = app.get_by_role("button", name="Compare Fast and Best")
    compare.click()
    app.get_by_label("Divider between Fast and Best").wait_for()
    shoot(app.locator(".u2-app"), "compared")
    compare.click()
    app.get_by_label("Divider between the photo and the result").wait_for()


def test_a_slider_redraws_and_the_divider_stays(app):
    divider = app.get_by_label("Divider between the photo and the result")
    divider.focus()
    divider.press("Home")
    before = np.asarray(result_on_stage(app).getchannel("A"), float)
    handle = app.get_by_role("slider", name=LESS_OR_MORE)
    handle.focus()
    wait_for_another_picture(app, lambda: [handle.press("ArrowLeft") for _ in range(30)])
    app.wait_for_timeout(1500)
    after = np.asarray(result_on_stage(app).getchannel("A"), float)
    assert after.mean() < before.mean(), "less of it is kept"
    assert app.locator(".u2-frame").evaluate("e => e.style.getPropertyValue('--split')") == "0%"


def test_what_screen_readers_hear_has_names(app):
    assert app.get_by_role("img", name="The result").count() == 1
    assert app.get_by_role("slider", name=LESS_OR_MORE).count() == 1
    assert app.get_by_role("button", name="Remove cat.jpeg").count() == 1
    app.locator(".u2-tile button", has_text="rocket.jpg").click()
    app.locator(".u2-chosen button[aria-current=true]", has_text="rocket.jpg").wait_for()
    wait_until(lambda: app.locator(".u2-tile [aria-current=true]").count() == 1)
    for name, pressed in (("Blur", True), ("Cut out", True), ("Blur", False)):
        if pressed:
            app.get_by_role("button", name=name, exact=True).click()
        app.get_by_role("button", name=name, exact=True, pressed=pressed).wait_for()


def test_the_keyboard_s_place_is_a_ring_to_see(app):
    ring = """element => {
        element.focus({focusVisible: true});
        const style = getComputedStyle(element);
        return style.outlineStyle === 'solid' ? style.outlineWidth : style.boxShadow;
    }"""
    app.keyboard.press("Tab")  # or the browser takes it for a person with a mouse
    for place in [".u2-zone button", ".u2-toolbar button", ".u2-tile button", ".u2-saver button"]:
        assert app.locator(place).locator("visible=true").first.evaluate(ring) == "2px", place
    # By its name: the first slider to see may be one that leaves with an effect just now.
    assert app.get_by_role("slider", name=LESS_OR_MORE).evaluate(ring) == "2px"
    assert app.locator(".u2-models select").evaluate(ring) != "none"


def networks(page):
    """Return what the menu of networks lists, and what is chosen in it."""
    texts = page.locator(".u2-models select").evaluate(
        "menu => [...menu.options, ...menu.selectedOptions].map(each => each.text)"
    )
    *listed, chosen = [text.replace("\xa0", " ") for text in texts]
    return listed, chosen


def test_a_network_that_is_refused_leaves_the_app_as_it_was(app, shoot):
    listed, chosen = networks(app)
    assert chosen == "u2netp: any subject; the quickest, ships inside"
    assert {LARGE, f"{PEOPLE} – 5 MB"} < set(listed)
    app.locator(".u2-models select").select_option(LARGE)
    app.get_by_text("u2net could not be downloaded. Still using u2netp.").wait_for()
    shoot(app.locator(".u2-app"), "refused")
    app.locator(".u2-models .u2-problem summary").click()
    app.get_by_text("Google Drive - Quota exceeded").wait_for()
    assert "Put the file on this machine as " in app.locator(".u2-problem").inner_text()
    wait_until(lambda: networks(app) == (listed, chosen))
    app.get_by_role("button", name="Close this message").click()
    app.locator(".u2-problem").wait_for(state="detached")


def test_a_network_is_fetched_while_the_app_answers(app, weights, shoot):
    app.locator(".u2-models select").select_option(f"{PEOPLE} – 5 MB")
    app.get_by_text("License: Apache-2.0; the training data has its own terms").wait_for()
    app.get_by_text("Fetching, 2 of 5 MB").wait_for()
    wait_for_another_picture(app, app.locator(".u2-tile button", has_text="coffee.png").click)
    shoot(app.locator(".u2-app"), "fetching")
    weights.released.set()
    app.get_by_text("Fetching, 2 of 5 MB").wait_for(state="hidden")
    app.locator("option", has_text="ready").wait_for(state="attached")
    wait_until_idle(app, tiles=5)
    wait_until(lambda: networks(app)[1] == f"{PEOPLE} – ready")
    assert app.locator(".u2-problem").count() == 0


def test_results_go_to_the_folder(app, site):
    app.locator(".u2-tile button", has_text="cat.jpeg").click()
    app.get_by_role("button", name="Save all to results/").click()
    app.get_by_text("Saved to ").wait_for()
    names = ("coffee", "cows", "cat", "astronaut", "rocket")
    saved = {f"results/{name}_cutout.png" for name in names}
    assert file_tree(site.root) == saved


def test_a_canvas_gets_a_color_and_is_copied_and_boxes_as_text(app):
    app.context.grant_permissions(["camera", "clipboard-read", "clipboard-write"])
    app.bring_to_front()
    app.locator(".u2-tile button", has_text="cat.jpeg").click()
    app.get_by_role("button", name="Shop canvas", exact=True).click()
    app.get_by_role("button", name="Sky", exact=True).click()
    field = app.get_by_role("textbox", name="Color as #rrggbb")
    app.wait_for_function("field => field.value === '#d3e5f6'", arg=field.element_handle())
    app.get_by_role("button", name="Copy", exact=True).click()
    app.get_by_text("cat_canvas.png is copied").wait_for()
    kinds = "navigator.clipboard.read().then(items => items.map(item => item.types))"
    assert app.evaluate(kinds) == [["image/png"]]
    app.get_by_role("button", name="Boxes", exact=True).click()
    app.get_by_role("button", name="Copy boxes", exact=True).click()
    app.get_by_text("boxes.txt is copied").wait_for()
    text = app.evaluate("navigator.clipboard.readText()")
    assert text.startswith("photo,object,left,top") and '"cat.jpeg",1,' in text
    app.get_by_role("button", name="Cut out", exact=True).click()
    app.get_by_role("button", name="Save boxes", exact=True).wait_for(state="hidden")


def test_photos_of_any_size_go_in_and_a_zip_comes_out(app, photos):
    choose(app, photos["large.png"], photos["letter.jpg"], photos["turned.txt"])
    wait_until_idle(app, tiles=2)
    assert "letter.jpg: not an image" in app.locator(".u2-top .u2-problem").inner_text()
    wait_until(lambda: asks_before_it_closes(app))
    for action in ("Blur", "Color", "Box", "Cut out"):
        button = app.get_by_role("button", name=action, exact=True)
        wait_for_another_picture(app, button.click)
    with app.expect_download() as download:
        app.get_by_role("button", name="Download all as zip").click()
    archive = zipfile.ZipFile(download.value.path())
    name = download.value.suggested_filename
    assert name.startswith("large_cutout_and_1_more_") and name.endswith(".zip")
    app.locator(".u2-unsaved").wait_for(state="detached")  # so the page would not ask any more
    sizes = {name: Image.open(archive.open(name)).size for name in archive.namelist()}
    assert sizes == {"large_cutout.png": (2300, 2300), "turned_cutout.png": (200, 300)}
    with app.expect_download() as download:
        app.get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename == "large_cutout.png"


def test_a_stop_is_answered_at_once_and_the_same_quality_goes_on(app, photos):
    # Enough of them that the last is not at work before a slow page hears of it.
    add(app, *[photos["turned.txt"]] * 4)
    count = tiles(app)
    app.get_by_role("button", name="Best", exact=True).click()
    app.get_by_role("button", name="Stop").click()
    app.get_by_text(re.compile(r"photos done \(\w+, Best\)")).wait_for()
    assert app.locator(".u2-quality .mod-active").count() == 0
    app.get_by_role("button", name="Fast", exact=True).click()
    wait_until_idle(app, tiles=count)
    assert app.get_by_role("button", name="Fast", exact=True, pressed=True).count() == 1


def test_the_same_photo_again_is_another_photo(app, photos):
    for _ in range(2):
        add(app, photos["turned.txt"])


def test_photos_chosen_while_others_are_sent_are_sent_next(app, photos):
    own = 0 if tile_names(app) == SAMPLES else tiles(app)
    choose(app, photos["large.png"])
    choose(app, photos["turned.txt"])
    wait_until_idle(app, tiles=own + 2)


@pytest.mark.parametrize("place", [".u2-zone >> nth=0", ".u2-view"])
def test_a_photo_dropped_on_the_page_is_taken(place, app):
    drop = """async place => {
        const canvas = new OffscreenCanvas(200, 100);
        canvas.getContext('2d').fillRect(50, 20, 60, 60);
        const file = new File([await canvas.convertToBlob()], 'dropped.png');
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(file);
        const options = {dataTransfer, bubbles: true, cancelable: true};
        for (const type of ['dragenter', 'dragover', 'drop'])
            place.dispatchEvent(new DragEvent(type, options));
    }"""
    count = tiles(app)
    app.locator(place).evaluate(drop)
    wait_until_idle(app, tiles=count + 1)
    # The second one is "dropped (2).png".
    app.locator(".u2-below", has_text=re.compile(r"^dropped.*png, 200 × 100")).wait_for()


def test_the_camera_takes_a_photo(app):
    count = tiles(app)
    live = "document.querySelector('.u2-camera video')?.videoWidth > 0"
    app.get_by_role("button", name="Take a photo").click()
    app.wait_for_function(live)
    app.get_by_role("button", name="Cancel").click()
    app.locator(".u2-camera").wait_for(state="detached")
    app.get_by_role("button", name="Take a photo").click()
    app.wait_for_function(live)
    app.get_by_role("button", name="Capture").click()
    wait_until_idle(app, tiles=count + 1)
    app.locator(".u2-below", has_text=re.compile(r"^webcam\.jpg")).wait_for()


def test_a_refused_camera_is_a_sentence(app):
    app.context.clear_permissions()
    app.get_by_role("button", name="Take a photo").click()
    app.get_by_text("The browser refused the camera").wait_for()
    assert app.get_by_role("button", name="Take a photo").is_enabled()


@pytest.mark.parametrize("site", ["lab"], indirect=True)
def test_a_photo_deleted_in_the_file_browser_troubles_nobody(app, site, photos):
    folder = site.root / "photos"
    folder.mkdir()
    for name in ("cat.png", "dog.png"):
        shutil.copy(photos["large.png"], folder / name)
    app.evaluate("path => jupyterapp.serviceManager.contents.delete(path)", "photos/cat.png")
    assert (folder / ".ipynb_checkpoints").exists(), "Jupyter has changed: delete this test"
    code = (
        "from u2demo.images.find import find_images\n"
        "print([path.name for path in find_images('photos')])"
    )
    assert in_the_kernel(app, code) == "['dog.png']\n"
    shutil.rmtree(folder)


def test_starting_over_asks_and_can_be_undone(app, photos):
    add(app, photos["turned.txt"], photos["turned.txt"])  # one alone has no gallery to see
    names = tile_names(app)
    app.get_by_role("button", name="Start over").click()
    app.locator(".u2-offer", has_text="not been saved. Start over?").wait_for()
    app.locator(".u2-offer").get_by_role("button", name="Start over").click()
    app.locator(".u2-offer", has_text="Started over.").wait_for()
    app.locator(".u2-offer").get_by_role("button", name="Undo").click()
    app.locator(".u2-tile button", has_text=names[-1]).wait_for()
    assert tile_names(app) == names


def test_an_upload_leaves_no_file_where_a_file_browser_looks(app, site):
    assert {path.split("/")[0] for path in file_tree(site.root)} == {"results"}
    assert not list((site.root / "results").rglob(".ipynb_checkpoints"))
