"""Names that mean harm, or were merely unlucky: nothing leaves the results, nothing is lost."""

import io
import os
import re
import socket
import sys
import unicodedata
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from bright import Bright
from live_app import (
    as_file,
    caption,
    only_zip,
    press,
    said,
    said_of_saving,
    spot,
    tile_names,
)
from PIL import Image

import u2demo as u2
from u2demo.cli.main import main
from u2demo.machine.names import safe_name
from u2demo.notebook import OneClick
from u2demo.notebook.file_transfer import FileSaver
from u2demo.pipeline import Result

ONLY_MASK = {"mask": u2.EFFECTS["mask"]}
RESERVED = ("CON", "nul", "Com1", "LPT9", "aux.tar", "PRN ", "COM¹", "CONIN$")
NAMES = [
    "../../x.jpg", "..\\..\\x.jpg", "/etc/x.jpg", "C:\\x.jpg", "\\\\server\\x.jpg", "a\0b.jpg",
    "x" * 300 + ".jpg", "é" * 300 + ".jpg", "a\nb.jpg", "a\r\nb.jpg", "\x1b[2Jx.jpg", "~.jpg",
    "a\u202egpj.exe", "\U0001f468\u200d\U0001f467.jpg", ".hidden.jpg", "...", "..", ".", "", " ",
    "-rf.jpg", "--output=x.jpg", "x.jpg.", "x. .jpg", "x.jpg ", "$HOME.jpg", "`id`.jpg",
    "%2e%2e%2fx.jpg", "<img src=x onerror=alert(1)>.jpg", "a\"b'c&d.jpg", "\udcff.jpg", "\uff89/x",
    "x.jpg:stream", *(f"{name}.jpg" for name in RESERVED), *RESERVED,
]  # fmt: skip
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="such names do not exist there")


@pytest.fixture
def net():
    return Bright()


@pytest.fixture
def tree(tmp_path):
    """A folder for photos beside one that nothing may be written to."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "private").mkdir()
    return tmp_path


def put(path, color="white"):
    path.parent.mkdir(parents=True, exist_ok=True)
    photo = Image.new("RGB", (16, 12), "black")
    photo.paste(color, (4, 4, 12, 8))
    photo.save(path, "PNG")
    return path


def is_safe(name):
    """Tell whether every system takes ``name`` as the name of a file in this very folder."""
    stem = name.partition(".")[0].rstrip(" ").upper()
    return (
        0 < len(name.encode()) <= 200
        and name.isprintable()
        and not set(name) & set('<>:"/\\|?*')
        and name[0] not in ".- "
        and name[-1] not in ". "
        and not re.fullmatch(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³])", stem)
    )


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_name_becomes_safe(name):
    assert is_safe(safe_name(name))
    assert safe_name(safe_name(name)) == safe_name(name)


def test_results_of_any_uploads_lie_in_the_folder_under_names_of_their_own(tree):
    results = tree / "results"
    picture, mask = Image.new("L", (4, 3)), np.zeros((3, 4), np.float32)
    files = [
        file
        for name in NAMES * 2
        for file in u2.save(Result(name, picture, mask, {"mask": picture}), results)
    ]
    assert len(set(files)) == 2 * len(NAMES)
    assert sorted(results.iterdir()) == sorted(files)
    assert sorted(path.name for path in tree.iterdir()) == ["photos", "private", "results"]
    assert all(is_safe(file.name) for file in files)


@on_linux
def test_a_folder_of_hostile_names_is_done_completely(net, tree, capsys):
    photos, results = tree / "photos", tree / "results"
    on_disk = [name for name in NAMES if 0 < len(os.fsencode(name)) < 256 and "\0" not in name]
    files = {photos / name.replace("/", "_").lstrip(".") for name in on_disk}
    files = {put(file) for file in files if file != photos}
    put(photos / "Con" / "aux.jpg")
    put(photos / "dots..." / "x.jpg")
    records = u2.process_folder(net, photos, results, effects=ONLY_MASK)
    assert [record.error for record in records if record.status != "done"] == []
    made = [file for record in records for file in record.files]
    assert len(records) == len(set(made)) == len(files) + 2
    assert [part for file in made for part in Path(file).parts if not is_safe(part)] == []
    assert sorted(path.name for path in tree.iterdir()) == ["photos", "private", "results"]
    assert len(u2.process_folder(net, photos, results, effects=ONLY_MASK)) == len(records)


@on_linux
def test_names_that_differ_little_lose_no_picture(net, tree):
    accented = "caf\u00e9"
    names = ["cat.jpg", "CAT.jpg", "cat.png", "cat.JPG", "cat .jpg", "cat_jpg.png", "cat (2).jpg"]
    names += [f"{unicodedata.normalize(form, accented)}.jpg" for form in ("NFC", "NFD")]
    for name in names:
        put(tree / "photos" / name)
    put(tree / "photos" / "Pets" / "cat.jpg")
    put(tree / "photos" / "pets" / "cat.jpg")
    records = u2.process_folder(net, tree / "photos", tree / "results", effects=ONLY_MASK)
    assert {record.status for record in records} == {"done"}
    # A disk that knows neither case nor how an accent is written must keep them apart, too.
    made = [unicodedata.normalize("NFC", file).casefold() for r in records for file in r.files]
    assert len(set(made)) == len(records) == len(names) + 2


def test_effects_whose_names_meet_overwrite_nothing(net, tree):
    put(tree / "photos" / "a.jpg")
    put(tree / "photos" / "a_b.jpg")
    effects = {"b_mask": u2.EFFECTS["mask"], "mask": u2.EFFECTS["mask"]}
    records = u2.process_folder(net, tree / "photos", tree / "results", effects=effects)
    assert len({file for record in records for file in record.files}) == 4


@on_linux
def test_links_pipes_and_sockets_neither_lead_out_nor_hang(net, tree, monkeypatch):
    photos = tree / "photos"
    secret = put(tree / "private" / "secret.png")
    put(photos / "cat.png")
    (photos / "out").symlink_to(tree / "private", target_is_directory=True)
    (photos / "loop").symlink_to(photos, target_is_directory=True)
    (photos / "self.jpg").symlink_to("self.jpg")
    (photos / "linked.png").symlink_to(secret)
    os.mkfifo(photos / "pipe.jpg")
    monkeypatch.chdir(photos)  # the path of a socket must be short
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("socket.jpg")
    with listener:
        records = u2.process_folder(net, photos, tree / "results", effects=ONLY_MASK)
        said = main([str(photos / "pipe.jpg"), str(photos / "socket.jpg"), "-o", str(tree / "r2")])
    assert said == 1
    assert {Path(record.photo).name: record.status for record in records} == {
        "cat.png": "done",
        "linked.png": "done",
        "self.jpg": "failed",
    }
    assert [path.name for path in (tree / "private").iterdir()] == ["secret.png"]


@on_linux
def test_links_among_the_results_are_not_followed(net, tree):
    put(tree / "photos" / "cat.png")
    put(tree / "photos" / "pets" / "dog.png")
    results = tree / "results"
    results.mkdir()
    (results / "cat_mask.png").symlink_to(tree / "private" / "new.png")
    (results / "pets").symlink_to(tree / "private", target_is_directory=True)
    records = u2.process_folder(net, tree / "photos", results, effects=ONLY_MASK)
    assert list((tree / "private").iterdir()) == []
    assert (results / "cat_mask.png").is_symlink()
    assert [record.status for record in records] == ["done", "failed"]
    assert "lies outside" in records[1].error


@pytest.mark.parametrize("name", ["../mine", "my/own", "my\\own", "/", "a:b", "con", "a?", ""])
def test_an_effect_of_your_own_has_a_name_that_any_system_takes(tmp_path, name):
    photo, mine = Image.new("RGB", (3, 3)), {name: lambda image, mask: image}
    made = Result("a.png", photo, np.zeros((3, 3), np.float32), {name: photo})
    for use in (
        lambda: u2.process(Bright(), [("a.png", photo)], effects=mine),
        lambda: u2.process_folder(Bright(), tmp_path, tmp_path, effects=mine),
        lambda: u2.save(made, tmp_path),
    ):
        with pytest.raises(ValueError, match=r"leave out /, .* such as"):
            use()


@on_linux
def test_paths_too_long_to_mirror_cost_only_their_own_photo(net, tree, monkeypatch):
    put(tree / "photos" / "cat.png")
    folder = tree / "photos"
    for _ in range(22):  # as deep as a path can be opened here; below the results it is longer
        folder = folder / ("x" * 180)
        if len(str(folder)) > 3850:
            break
        folder.mkdir()
    put(next(iter(sorted(tree.rglob("x" * 180), key=lambda path: -len(str(path))))) / "dog.png")
    results = tree / ("r" * 200) / ("s" * 200)
    records = u2.process_folder(net, tree / "photos", results, effects=ONLY_MASK)
    assert sorted(record.status for record in records) == ["done", "failed"]


@on_linux
def test_the_command_line_prints_any_name(tree, capsys):
    for name in ("\udcff.jpg", "a\x1b[2Jb.jpg", "a\nb.jpg", "\u202egpj.exe.jpg"):
        (tree / "photos" / name).write_text("no photo")
    assert main([str(tree / "photos"), "-o", str(tree / "results")]) == 1
    said = capsys.readouterr().out
    assert said.count("not an image") == 4 and len(said.splitlines()) == 5
    assert all(line.isprintable() for line in said.splitlines())


@pytest.mark.usefixtures("bright_loaded")
def test_names_that_look_like_options_are_photos_after_two_dashes(tree, monkeypatch):
    monkeypatch.chdir(tree / "photos")
    put(Path("-o.jpg"))
    assert main(["-o", "../results", "--effects", "mask", "--", "-o.jpg"]) == 0
    assert [path.name for path in (tree / "results").glob("*.png")] == ["o_mask.png"]


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "x/" * 3000])
def test_an_impossible_path_is_reported_in_a_sentence(name, tree, capsys):
    assert main([name, "-o", str(tree / "results")]) == 1
    with pytest.raises(SystemExit, match="2"):
        main([str(tree), "--background", name])
    assert "is neither a color, a photo nor a clip" in capsys.readouterr().err


@on_linux
def test_a_folder_behind_a_link_is_a_folder(tree):
    put(tree / "photos" / "cat.png")
    (tree / "link").symlink_to(tree / "photos", target_is_directory=True)
    assert main([str(tree / "link"), "-o", str(tree / "results"), "--effects", "mask"]) == 0
    assert (tree / "results" / "cat_mask.png").is_file()


def test_a_photo_too_long_for_jpeg_is_saved_as_png(tree):
    photo = Image.new("RGB", (65_535, 1))
    files = u2.save(Result("wire.png", photo, np.zeros((1, 65_535)), {"box": photo}), tree)
    assert [file.name for file in files] == ["wire_box.png"]
    assert Image.open(files[0]).size == photo.size


@pytest.mark.parametrize("size", [(65_535, 1), (1, 65_535)])
def test_photos_of_any_proportions_fit_a_figure(size):
    figure = u2.image_row({"photo": Image.new("RGB", size)})
    figure.savefig(io.BytesIO())
    assert max(figure.get_size_inches()) <= 30


@pytest.mark.filterwarnings("ignore:Glyph .* missing from font")
@pytest.mark.parametrize("title", [r"$\frac$.jpg", "a$b$c", "\udcff", "<b>", "猫"], ids=ascii)
def test_any_text_is_a_title(title, scene):
    figure = u2.image_row({title: scene[0]})
    figure.savefig(io.BytesIO())
    assert figure.axes[0].get_title() == {"\udcff": r"\udcff"}.get(title, title)


# In a notebook


class Tags(HTMLParser):
    def __init__(self, markup):
        super().__init__()
        self.tags = set()
        self.feed(markup)

    def handle_starttag(self, tag, attributes):
        self.tags |= {tag, *(name for name, _ in attributes)}


@pytest.fixture
def app(net, no_loop, monkeypatch, tmp_path):
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    monkeypatch.setenv("U2DEMO_SAVE_DIR", str(tmp_path / "results"))
    return OneClick(net)


EVIL = "<img src=x onerror=alert(1)>\"'&.png"


def test_names_are_escaped_wherever_the_app_shows_them(net, no_loop, monkeypatch):
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    monkeypatch.setitem(sys.modules, "u2demo.notebook.file_transfer", None)  # so it offers a link
    app = OneClick(net)
    app.run({f"other{EVIL}": spot()})
    app.receive([(EVIL, as_file(spot())), (f"broken{EVIL}", b"no photo")])
    press(app, "Download")
    shown = [said(app), caption(app)]
    assert all("&lt;img src=x onerror=alert(1)&gt;" in markup for markup in shown)
    assert "img src=x onerror=alert(1)" in said_of_saving(app), "of a file: without < and >"
    tags = set().union(*(Tags(markup).tags for markup in [*shown, said_of_saving(app)]))
    assert not tags & {"img", "src", "onerror"}
    assert tile_names(app) == [f"other{EVIL}", EVIL]  # text, which a page never parses


def test_a_zip_of_any_uploads_can_be_unpacked_anywhere(app, monkeypatch):
    sent = {}
    monkeypatch.setattr(
        FileSaver, "save", lambda self, name, data, *, type: sent.update({name: data})
    )
    names = ["cat.jpg", "CAT.jpg", "cat.png", "../../x.jpg", "CON.jpg", "a\0b.jpg", EVIL]
    app.receive([(name, as_file(spot())) for name in names])
    press(app, "Blur")
    press(app, "Download all as zip")
    entries = zipfile.ZipFile(io.BytesIO(only_zip(sent))).namelist()
    assert len(entries) == len(names)
    assert len({unicodedata.normalize("NFC", entry).casefold() for entry in entries}) == len(names)
    assert all(is_safe(entry) for entry in entries)
