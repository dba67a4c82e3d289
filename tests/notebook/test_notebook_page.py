"""Colab's dialogs and Drive, against a stand-in that writes real files; where a notebook runs."""

import base64
import importlib
import inspect
import shutil
import sys
from pathlib import Path

import pytest

from u2demo.notebook import colab as dialogs
from u2demo.notebook import environment as where
from u2demo.notebook.drive import save_to_drive
from u2demo.notebook.environment import ENVIRONMENTS, PageError

SIGNATURES = {  # of googlecolab/colabtools 3c07d77
    "files.upload": "(target_dir='')",
    "files.upload_file": "(filename)",
    "files.download": "(filename)",
    "files.view": "(filepath)",
    "drive.mount": "(mountpoint, force_remount=False, timeout_ms=120000, readonly=False)",
    "drive.flush_and_unmount": "(timeout_ms=86400000)",
    "output.eval_js": "(script, ignore_result=False, timeout_sec=None)",
}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """The folder that Colab's file browser shows, and where the kernel runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cat.jpg").write_bytes(b"an older cat")
    return tmp_path


def listing(folder):
    return {str(path.relative_to(folder)): path.stat().st_mtime for path in folder.rglob("*")}


@pytest.mark.parametrize("name", SIGNATURES)
def test_the_stand_in_has_the_signatures_of_colab(colab, name):
    module, function = name.split(".")
    real = importlib.import_module(f"google.colab.{module}")
    assert str(inspect.signature(getattr(real, function))) == SIGNATURES[name]


def test_uploads_are_bytes_under_their_own_names_and_leave_no_file(colab, tree):
    colab.uploads = [[("cat.jpg", b"one"), ("dog.JPEG", b"two")], [("cat.jpg", b"three")]]
    before = listing(tree)
    assert dialogs.choose_files() == {"cat.jpg": b"one", "dog.JPEG": b"two"}
    assert dialogs.choose_files() == {"cat.jpg": b"three"}
    assert listing(tree) == before


def test_two_files_of_one_name_in_one_dialog_both_arrive(colab, tree):
    colab.uploads = [[("cat.jpg", b"one"), ("cat.jpg", b"two")]]
    assert dialogs.choose_files() == {"cat.jpg": b"one", "cat (1).jpg": b"two"}


def test_a_cancelled_dialog_gives_no_photo(colab, tree):
    colab.uploads = [[]]
    assert dialogs.choose_files() == {}


def test_an_error_of_the_page_is_one_sentence(colab, tree):
    colab.uploads = [colab.MessageError("TypeError: Cannot read property '_uploadFiles' of undef")]
    with pytest.raises(PageError, match="Cannot read property '_uploadFiles'"):
        dialogs.choose_files()


def test_an_interrupted_dialog_leaves_nothing_behind(colab, tree, monkeypatch):
    private = tree / "private"
    private.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(private))
    colab.uploads = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        dialogs.choose_files()
    assert not list(private.iterdir())


@pytest.mark.parametrize("ask", [dialogs.choose_files, dialogs.take_photo])
def test_a_page_that_never_answers_is_told_apart_in_time(colab, ask):
    colab.answers = False
    with pytest.raises(PageError, match="VS Code") as answer:
        ask()
    assert "app." not in str(answer.value), "no notebook has a variable of that name"


def test_the_camera_gives_a_jpeg(colab):
    colab.photos = ["data:image/jpeg;base64," + base64.b64encode(b"photo").decode(), None]
    assert dialogs.take_photo() == b"photo"
    assert dialogs.take_photo() is None
    assert "getUserMedia" in colab.scripts[-1]


def test_a_refused_camera_is_one_sentence(colab):
    colab.photos = [colab.MessageError("Error: The browser refused the camera. Allow it.")]
    with pytest.raises(PageError, match=r"^The browser refused the camera\. Allow it\.$"):
        dialogs.take_photo()


def test_a_download_keeps_its_name_and_lives_until_the_browser_has_read_it(colab, tree):
    dialogs.download("cat_cutout.png", b"pixels")
    assert colab.downloads == [("cat_cutout.png", b"pixels")]
    assert set(listing(tree)) == {"cat.jpg"}


@pytest.fixture
def drive(tmp_path, monkeypatch):
    monkeypatch.setenv("U2DEMO_DRIVE", str(tmp_path / "drive"))
    return tmp_path / "drive"


@pytest.fixture
def files(tmp_path):
    names = ("cat_cutout.png", "dog_cutout.png")
    for name in names:
        (tmp_path / name).write_bytes(name.encode() * 1000)
    return [tmp_path / name for name in names]


def test_drive_gets_a_folder_of_its_own_each_time(colab, drive, files, monkeypatch):
    monkeypatch.setattr("time.strftime", lambda form: "2026-01-31 23-59-59")  # within one second
    first, second = save_to_drive(files), save_to_drive(files)
    assert (first.name, second.name) == ("2026-01-31 23-59-59", "2026-01-31 23-59-59 (2)")
    assert first.parent == drive / "MyDrive" / "u2demo"
    for folder in (first, second):
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
            file.name: file.read_bytes() for file in files
        }


@pytest.mark.parametrize(
    "failure",
    [
        NotImplementedError("Mounting drive is unsupported in this environment"),
        ValueError("mount failed: timeout during initial read of root folder"),
        KeyError("TBE_EPHEM_CREDS_ADDR"),
        "credential propagation was unsuccessful",
        OSError(107, "Transport endpoint is not connected"),
    ],
    ids=lambda failure: str(failure)[:30],
)
def test_a_drive_that_cannot_be_mounted_is_one_sentence(colab, drive, files, failure):
    failure = colab.MessageError(failure) if isinstance(failure, str) else failure
    colab.drive_failures = [failure, failure]
    with pytest.raises(PageError, match=r"^Google Drive failed: .+\.$"):
        save_to_drive(files)


def test_a_mount_that_nobody_allowed_is_noticed(colab, drive, files, monkeypatch):
    monkeypatch.setattr("google.colab.drive.mount", lambda *_, **__: None)
    with pytest.raises(PageError, match="it was not mounted"):
        save_to_drive(files)


def test_a_lost_connection_is_mounted_again_once(colab, drive, files, monkeypatch):
    copy, calls = shutil.copyfile, []

    def copy_the_second_time(source, target):
        calls.append(source)
        if len(calls) == 1:
            raise OSError(107, "Transport endpoint is not connected")
        return copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", copy_the_second_time)
    folder = save_to_drive(files)
    assert {file.name for file in folder.iterdir()} == {file.name for file in files}


def test_a_full_drive_is_one_sentence_and_keeps_nothing(colab, drive, files, monkeypatch):
    def fill(source, target):
        Path(target).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", fill)
    colab.drive_failures = [None, AssertionError("nobody is asked to mount it once more")]
    with pytest.raises(PageError, match="No space left"):
        save_to_drive(files)
    assert not any((drive / "MyDrive" / "u2demo").iterdir())


def test_what_colab_prints_of_the_drive_stays_off_the_page(colab, drive, files, capsys):
    save_to_drive(files)
    save_to_drive(files)
    assert capsys.readouterr().out == ""


def test_half_a_file_on_drive_is_a_failure(colab, drive, files, monkeypatch):
    monkeypatch.setattr(shutil, "copyfile", lambda source, target: Path(target).write_bytes(b"x"))
    with pytest.raises(PageError, match=r"cat_cutout\.png was not copied completely"):
        save_to_drive(files)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_environment_can_be_told(name, monkeypatch):
    monkeypatch.setenv("U2DEMO_ENV", name)
    assert where.environment() == name


def test_a_misspelt_environment_is_an_error(monkeypatch):
    monkeypatch.setenv("U2DEMO_ENV", "collab")
    with pytest.raises(ValueError, match="'collab'; choose from colab, jupyter"):
        where.environment()


def test_the_environment_is_recognized(monkeypatch):
    monkeypatch.delenv("U2DEMO_ENV", raising=False)
    assert where.environment() == "headless"
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5")
    assert where.environment() == "voila"
    shell = type("Shell", (), {"__module__": "google.colab._shell"})
    monkeypatch.setattr("IPython.get_ipython", shell)
    assert where.environment() == "colab"


def test_no_colab_can_be_imported_by_accident():
    assert "google.colab" not in sys.modules
