"""Figures: titled, closed, transparent pictures on a checkerboard."""

import io
import itertools
import subprocess
import sys
from html import escape

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

import u2demo as u2
from u2demo.figures import bars, close_up, drawing, where_most


def test_a_row_shows_every_picture_under_its_title_and_leaves_nothing_open(scene):
    image, mask = scene
    figure = u2.image_row({"photo": image, "mask": mask})
    assert [axes.get_title() for axes in figure.axes] == ["photo", "mask"]
    assert plt.get_fignums() == []


def test_masks_are_gray_from_0_to_1_whatever_they_hold(scene):
    _, mask = scene
    shown = u2.image_row({"mask": mask * np.float32(0.5)}).axes[0].images[0]
    assert shown.get_clim() == (0, 1)
    assert shown.cmap.name == "gray"


def test_an_alpha_divided_by_255_shows():
    alpha = np.full((4, 6), 255, np.uint8) / 255
    shown = u2.image_row({"alpha": alpha}).axes[0].images[0].get_array()
    assert shown.shape == (4, 6) and (shown == 1).all()


def test_transparent_pixels_show_a_checkerboard():
    shown = u2.image_row({"nothing": Image.new("RGBA", (40, 40))}).axes[0].images[0].get_array()
    assert set(np.unique(shown)) == {225, 255}


def test_large_photos_are_shown_small():
    shown = u2.image_row({"large": Image.new("RGB", (4000, 3000))}).axes[0].images[0].get_array()
    assert shown.shape == (480, 640, 3)


def test_nothing_to_show_is_refused():
    with pytest.raises(ValueError, match="no pictures to show"):
        u2.image_row({})


@pytest.mark.parametrize("pictures", [[Image.new("L", (2, 2))], {"cat": "cat.jpg"}])
def test_pictures_without_titles_and_titles_without_pictures_are_refused(pictures):
    with pytest.raises(TypeError, match=r"expected .*, not (list|str)"):
        u2.image_row(pictures)


def test_titles_above_narrow_pictures_stay_apart():
    names = [
        "alpha",
        "background removed",
        "WhatsApp Image 2024-01-01 at 12.34.56.jpeg",
        "IMG_1.JPG",
    ]
    figure = u2.image_row(dict.fromkeys(names, Image.new("RGB", (8, 64))))
    figure.draw_without_rendering()
    titles = [axes.title.get_window_extent() for axes in figure.axes]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(titles))


def test_the_longest_title_of_a_view_is_whole_and_inside_a_row_of_eight():
    longest = "mirrored, half squeezed, larger"
    titles = [longest, *"abcdefg"]
    figure = u2.image_row(dict.fromkeys(titles, Image.new("RGB", (10, 8))), height=1.7)
    figure.draw_without_rendering()
    title = figure.axes[0].title
    assert title.get_text().split() == longest.split()
    assert title.get_window_extent().y1 < figure.bbox.y1


def test_a_row_of_panoramas_stays_narrow_enough_to_read_its_titles():
    figure = u2.image_row(dict.fromkeys("abc", Image.new("RGB", (600, 50))))
    assert figure.get_figwidth() <= 24
    assert figure.axes[0].get_title() == "a"


def test_the_figures_of_the_host_stay_as_they_are(scene):
    image, mask = scene
    plt.figure(3)
    plt.figure(7)
    try:
        before = plt.get_fignums(), plt.gcf().number, plt.get_backend(), mpl.rcParams.copy()
        u2.image_row({"photo": image, "mask": mask})
        after = plt.get_fignums(), plt.gcf().number, plt.get_backend(), mpl.rcParams.copy()
    finally:
        plt.close("all")
    assert after == before == ([3, 7], 7, *before[2:])


def test_no_window_system_is_chosen_for_a_figure():
    code = (
        "import sys, u2demo as u2\n"
        "u2.image_row({'photo': next(iter(u2.sample_images().values()))})\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_notebook_shows_a_figure_also_without_pyplot(scene):
    image, _ = scene
    shown = Image.open(io.BytesIO(u2.image_row({"photo": image})._repr_png_()))
    assert shown.format == "PNG" and shown.width > 200


def test_a_figure_says_in_words_what_it_shows(scene):
    image, mask = scene
    listed = u2.image_row({"photo": image, "<mask>": mask})
    told = u2.image_row({"photo": image}, alt="A cat on a mat")
    assert '<img alt="Side by side: photo, &lt;mask&gt;"' in listed._repr_html_()
    assert '<img alt="A cat on a mat"' in told._repr_html_()


def test_titles_grow_with_a_row_that_a_page_will_shrink():
    few, many = (
        u2.image_row({f"level {number}": Image.new("RGB", (9, 9)) for number in range(count)})
        for count in (2, 8)
    )
    shrunk = many.get_figwidth() / 10
    size = many.axes[0].title.get_fontsize()
    assert size == pytest.approx(shrunk * few.axes[0].title.get_fontsize())


def test_a_close_up_shows_pixels_as_squares(scene):
    image, mask = scene
    parts = close_up({"photo": image, "mask": mask}, u2.Box(1, 2, 4, 4), height=20)
    assert parts["photo"].size == (30, 20) and parts["mask"].shape == (20, 30)
    assert parts["photo"].getpixel((9, 9)) == image.getpixel((1, 2))
    assert (parts["mask"][:10, 10:20] == mask[2, 2]).all()
    with pytest.raises(ValueError, match="expected one with pixels"):
        close_up({"photo": image}, u2.Box(1, 2, 1, 4))


@pytest.mark.parametrize("place", [(0, 0), (30, 50), (39, 59)])
def test_the_square_in_which_most_is_holds_it(place):
    values = np.zeros((40, 60), np.float32)
    values[place] = 1
    box = where_most(values)
    assert (box.right - box.left, box.bottom - box.top) == (4, 4)
    assert box.left <= place[1] < box.right and box.top <= place[0] < box.bottom
    assert box.left >= 0 and box.right <= 60 and box.top >= 0 and box.bottom <= 40


def test_bars_show_a_value_of_each_group_in_each_row_and_say_it_in_words():
    figure = bars({"small": {"look": 5, "cut": 1}, "large": {"look": 6, "cut": 9}}, unit="ms")
    (axes,) = figure.axes
    assert [patch.get_width() for patch in axes.patches] == [5, 1, 6, 9]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["look", "cut"]
    assert figure.alt == "Bars. small: look 5 ms, cut 1 ms; large: look 6 ms, cut 9 ms"
    with pytest.raises(ValueError, match="the same labels"):
        bars({"small": {"look": 5}, "large": {"cut": 9}}, unit="ms")


@pytest.mark.parametrize(
    ("name", "word"), [("u2netp", "encoder"), ("chain", "remove_background"), ("portrait", "blend")]
)
def test_a_packaged_drawing_shows_itself_and_says_what_it_shows(name, word):
    shown = drawing(name)
    assert shown.svg.startswith("<svg") and word in shown.alt
    assert shown._repr_html_().startswith(f'<img alt="{escape(shown.alt)}"')


@pytest.mark.parametrize("mode", ["I;16", "F", "La", "LAB"])
def test_pictures_of_any_mode_show_as_open_image_reads_them(mode):
    deep = {"I;16": (np.uint16, 0x8080), "F": (np.float32, 0.5)}
    if mode in deep:
        kind, gray = deep[mode]
        picture = Image.fromarray(np.full((9, 9), gray, kind))
    else:
        picture = Image.new(mode, (9, 9), {"La": (128, 255), "LAB": (137, 128, 128)}[mode])
    figure = u2.image_row({"half as bright as white": picture})
    shown = figure.axes[0].images[0].get_array()
    assert abs(int(shown[4, 4, 0]) - 128) <= 3
