"""What a command means by its photos, and what it says of files that are not done."""

import pytest
from PIL import Image
from small_run import make_photos

from u2demo.cli import summary
from u2demo.cli.arguments import parse
from u2demo.cli.main import main
from u2demo.cli.sources import expand
from u2demo.runs import run as runs

pytestmark = pytest.mark.usefixtures("bright_loaded")


@pytest.fixture
def photos(tmp_path):
    return make_photos(tmp_path / "photos", 1)


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"\xff\xd8\xff")


def meant(folder, pattern):
    return [path.relative_to(folder).as_posix() for path in expand([folder / pattern])]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.jpg", ["a.jpg", "b2.jpg", "b10.jpg"]),
        ("?.jpg", ["a.jpg"]),
        ("[ab]2.jpg", ["b2.jpg"]),
        ("**/*.jpg", ["a.jpg", "b2.jpg", "b10.jpg", "sub/c.jpg"]),
        ("**", ["a.jpg", "b2.jpg", "b10.jpg", "d.psd", "sub/c.jpg"]),
        ("*/c.jpg", ["sub/c.jpg"]),
        ("*", ["a.jpg", "b2.jpg", "b10.jpg", "d.psd", "sub"]),
        ("*.png", ["*.png"]),
    ],
)
def test_wildcards_that_a_shell_left_are_replaced(pattern, names, tmp_path):
    touch(tmp_path, "a.jpg", "b10.jpg", "b2.jpg", "sub/c.jpg", "d.psd", ".hidden.jpg")
    touch(tmp_path, "@eaDir/thumb.jpg", ".git/x.jpg", "sub/#recycle/old.jpg")
    (tmp_path / "notes.txt").write_text("notes")
    assert meant(tmp_path, pattern) == names


def test_a_file_of_that_very_name_is_meant_itself(tmp_path):
    touch(tmp_path, "a[1].jpg", "a1.jpg", "[2024] trip/b.jpg", "2 trip/c.jpg")
    assert meant(tmp_path, "a[1].jpg") == ["a[1].jpg"]
    assert meant(tmp_path, "[2024] trip/*.jpg") == ["[2024] trip/b.jpg"]


def test_a_pattern_on_a_drive_that_is_not_there_is_not_found(tmp_path, monkeypatch):
    """As ``Z:\\*.jpg`` on Windows, where nothing above it exists."""
    looked_at = []

    def is_missing(path):
        looked_at.append(path)
        assert len(looked_at) < 100, "the search never ends"
        return False

    monkeypatch.setattr("u2demo.cli.sources.os.path.lexists", is_missing)
    assert expand([tmp_path / "*.jpg"]) == [tmp_path / "*.jpg"]


def test_a_pattern_that_fits_nothing_is_not_found(tmp_path, capsys):
    assert main([str(tmp_path / "*.jpg"), "-o", str(tmp_path / "out")]) == 1
    assert f"not found: {tmp_path / '*.jpg'}" in capsys.readouterr().err


def test_pictures_of_kinds_that_are_not_read_are_said_by_kind_and_are_no_failure(
    photos, tmp_path, capsys
):
    touch(photos, *(f"{number}.nef" for number in range(12)), "logo.psd")
    (photos / "notes.txt").write_text("notes")
    (photos / "scan").write_bytes(b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(9))
    assert main([str(photos), "-o", str(tmp_path / "out"), "--effects", "mask"]) == 0
    said = capsys.readouterr().out
    assert "15 photos: 1 done, 14 left out" in said
    assert "12 files, each a camera's raw file" in said and "0.nef" in said and "and 2 more" in said
    assert f"left out: {photos / 'logo.psd'}: a Photoshop file" in said
    assert f"left out: {photos / 'scan'}: a JPEG 2000 picture" in said
    assert "notes.txt" not in said
    table = (tmp_path / "out" / "manifest.csv").read_text()
    assert all(f"{number}.nef" in table for number in range(12))


@pytest.mark.parametrize("named", [["pets", "logo.psd"], ["--list", "list.txt"]])
def test_a_picture_of_such_a_kind_that_was_named_is_a_failure(
    named, photos, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(photos)
    touch(photos, "logo.psd")
    (photos / "list.txt").write_text("logo.psd\npets/photo0.png\n")
    assert main([*named, "-o", str(tmp_path / "out"), "--effects", "mask"]) == 1
    assert "logo.psd: a Photoshop file, which u2demo cannot read" in capsys.readouterr().out


def test_a_photo_beside_its_raw_file_has_the_plain_name(photos, tmp_path):
    touch(photos / "pets", "photo0.cr2")
    assert main([str(photos), "-o", str(tmp_path / "out"), "--effects", "mask"]) == 0
    assert (tmp_path / "out" / "pets" / "photo0_mask.png").is_file()


def test_a_folder_of_nothing_else_is_an_error_that_says_why(tmp_path, capsys):
    touch(tmp_path / "photos", "a.psd", "b.psd", "c.jxl")
    assert main([str(tmp_path / "photos"), "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert (
        "no photos or clips found" in said
        and "2 files, each a Photoshop file" in said
        and "c.jxl" in said
    )
    assert not (tmp_path / "out").exists()


def test_parts_of_a_file_that_are_left_out_are_said_of_each_photo(
    photos, tmp_path, capsys, monkeypatch
):
    def opened(path, **options):
        image = Image.new("RGB", (40, 30), "white")
        image.info["left_out"] = ("2 more frames", "an HDR gain map")
        return image

    monkeypatch.setattr(runs, "open_image", opened)
    monkeypatch.setattr(summary, "_SHOWN", 3)
    make_photos(photos, 4)
    command = [str(photos), "-o", str(tmp_path / "out"), "--effects", "mask"]
    for _ in range(2):  # also of photos that were done before
        assert main(command) == 0
        said = capsys.readouterr().out
        assert f"{photos / 'photo0.png'}: left out: 2 more frames, an HDR gain map" in said
        assert said.count("left out: 2 more frames") == 3
        assert "parts of 2 more photos were left out" in said
    assert "2 more frames; an HDR gain map" in (tmp_path / "out" / "manifest.csv").read_text()


def test_links_to_nothing_and_missing_files_cost_no_other(photos, tmp_path, capsys):
    link, missing = photos / "gone.jpg", photos / "missing.jpg"
    link.symlink_to("/unmounted/gone.jpg")
    (photos / "empty.jpg").touch()
    out = tmp_path / "out"
    assert main([str(photos), str(missing), "-o", str(out), "--effects", "mask"]) == 1
    said = capsys.readouterr().out
    assert "4 photos: 3 failed, 1 done" in said or "1 done, 3 failed" in said
    assert f"{link}: a link to a file that is not there" in said
    assert f"{missing}: there is no such file" in said


@pytest.mark.parametrize(
    ("text", "pixels"),
    [("200M", 200_000_000), ("1.5G", 1_500_000_000), ("300_000", 300_000), ("40k", 40_000)],
)
def test_a_limit_of_pixels_is_handed_to_the_reader(text, pixels, photos, tmp_path, monkeypatch):
    def opened(path, *, max_pixels):
        limits.append(max_pixels)
        return Image.new("RGB", (9, 9))

    limits = []
    monkeypatch.setattr(runs, "open_image", opened)
    command = [str(photos), "-o", str(tmp_path / "out"), "--effects", "mask"]
    assert main([*command, "--max-pixels", text]) == 0
    assert limits == [pixels]


@pytest.mark.parametrize("text", ["many", "0", "-5", "12X", "", "1e3", "0.1", "9" * 400])
def test_a_limit_that_is_not_a_number_of_pixels_is_refused(text, capsys):
    with pytest.raises(SystemExit, match="2"):
        parse(["a.jpg", f"--max-pixels={text}"])
    assert "expected a number of pixels such as 400M" in capsys.readouterr().err


def test_a_limit_in_the_environment_that_is_not_a_number_is_said_once(
    photos, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("U2DEMO_MAX_PIXELS", "a lot")
    assert main([str(photos), "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert said.count("U2DEMO_MAX_PIXELS is 'a lot', expected a number of pixels") == 1
    assert not (tmp_path / "out").exists()


def test_yolo_and_yolo_seg_at_once_are_refused_before_the_work(photos, tmp_path, capsys):
    command = [str(photos), "-o", str(tmp_path / "out"), "--boxes", "yolo,yolo-seg"]
    assert main(command) == 1
    assert "choose one of them" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_outlines_are_found_when_boxes_are_asked_for_later(photos, tmp_path):
    command = [str(photos), "-o", str(tmp_path / "out"), "--effects", "cutout"]
    assert main(command) == 0
    assert main([*command, "--boxes", "yolo-seg"]) == 0
    (line,) = (tmp_path / "out" / "labels" / "pets" / "photo0.txt").read_text().splitlines()
    values = list(map(float, line.split()))
    assert len(values) >= 9 and all(0 <= value <= 1 for value in values)


def test_the_help_fits_a_terminal_of_80_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    assert all(
        word in said for word in ("wildcards", "--max-pixels", "U2DEMO_MAX_PIXELS", "@eaDir")
    )
