"""As google/colab/files.py."""

from pathlib import Path

from google.colab import _person

__all__ = ["download", "upload", "upload_file", "view"]


def upload(target_dir=""):
    """Write the chosen files; return their bytes by the path they were saved under."""
    if not _person.answers:
        raise AssertionError("the real dialog would wait forever here")
    chosen = _person.uploads.pop(0)
    if isinstance(chosen, BaseException):
        raise chosen
    if target_dir:
        Path(target_dir).mkdir(parents=True, exist_ok=True)
    uploaded = {}
    for name, data in chosen:
        path = _unique(Path(target_dir) / name)
        with path.open("ab") as file:
            file.write(data)
        print(f"Saving {name} to {path}")
        uploaded[str(path)] = data
    return uploaded


def upload_file(filename):
    """Write one chosen file to exactly ``filename``."""
    chosen = _person.uploads.pop(0)
    if not chosen:
        raise ValueError("File has not been uploaded")
    Path(filename).write_bytes(chosen[0][1])
    print(f"Saved {chosen[0][0]} to {Path(filename).resolve()}")


def download(filename):
    """Send the file to the browser."""
    if not Path(filename).exists():
        raise FileNotFoundError(f"Cannot find file: {filename}")
    _person.downloads.append((Path(filename).name, Path(filename).read_bytes()))


def view(filepath):
    """Open the file in Colab's viewer."""
    if not Path(filepath).exists():
        raise FileNotFoundError(f"Cannot find file: {filepath}")


def _unique(path):
    count, free = 0, path
    while free.exists():
        count += 1
        free = path.with_name(f"{path.stem} ({count}){path.suffix}")
    return free
