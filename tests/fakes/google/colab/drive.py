"""As google/colab/drive.py."""

from pathlib import Path

from google.colab import _person

__all__ = ["flush_and_unmount", "mount"]


def mount(mountpoint, force_remount=False, timeout_ms=120000, readonly=False):
    """Make the person's Drive appear below ``mountpoint``."""
    folder = Path(mountpoint)
    if (folder / "MyDrive").is_dir() and not force_remount:
        print(f"Drive already mounted at {mountpoint}; to attempt to forcibly remount, call ...")
        return
    if " " in mountpoint:
        raise ValueError("Mountpoint must not contain a space.")
    if folder.is_symlink():
        raise ValueError("Mountpoint must not be a symlink")
    if folder.is_dir() and any(folder.iterdir()) and not force_remount:
        raise ValueError("Mountpoint must not already contain files")
    if not folder.parent.exists():
        raise ValueError("Mountpoint must be in a directory that exists")
    failure = _person.drive_failures.pop(0) if _person.drive_failures else None
    if failure:
        raise failure
    (folder / "MyDrive").mkdir(parents=True, exist_ok=True)
    print(f"Mounted at {mountpoint}")


def flush_and_unmount(timeout_ms=24 * 60 * 60 * 1000):
    """Take the Drive away again."""
    print("Drive not mounted, so nothing to flush and unmount.")
