"""URL <-> bytes, whole or not at all: what object stores and web servers hold, through fsspec.

The one file that knows fsspec, which PyTorch brings along. What a store needs besides, such as s3fs
for ``s3://``, is installed by whoever uses it, and configured as its own documentation says.
"""

import contextlib
import errno
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from u2demo.machine.attempts import StoreError, first_line, insist, status_of

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)  # two letters: c:// is a drive
_WEB = {"http", "https"}
# s3fs would ask for each object's size first and, where a piece of it came short, fill up with 0.
_OPTIONS = {"s3": {"max_concurrency": 1}, "s3a": {"max_concurrency": 1}}
_TIMES = ("LastModified", "updated", "last_modified", "mtime", "created")
_TAGS = (
    "ETag",
    "etag",
    "md5Hash",
    "content_md5",
    "mtime",
    "LastModified",
    "Last-Modified",
    "created",
)
_LONGEST, _SLOWEST = 30, 50_000  # seconds for an answer, and the bytes a second that may follow
_TAKEN = 412  # a server's answer to a write that it was asked to refuse


class Stored(NamedTuple):
    """An object in a store, or a file of a web server."""

    url: str
    size: int | None  # in bytes, None if the server does not say
    tag: str  # changes with its content: ETag, or what the store has in its place; "" if nothing
    when: float = 0  # it was stored, in seconds since 1970; 0 if the store does not say


def is_url(text: object) -> bool:
    """Return whether ``text`` is a URL, such as ``s3://bucket/photos``, not a path."""
    return isinstance(text, str) and _URL.match(text) is not None


def check_url(url: str, *, to_write: bool = False) -> None:
    """Check that ``url`` can be used here, before anything has begun.

    Raises:
        ValueError: no such kind of URL, or nothing can be written there.
        ModuleNotFoundError: the package for it is missing; the text says which.
    """
    protocol = _protocol(url)
    if protocol in {"file", "local"}:
        raise ValueError(f"{url} is on this computer; write its path instead, without {protocol}:")
    if to_write and protocol in _WEB:
        raise ValueError(f"{url}: a web server takes no pictures; choose a folder, s3:// or gs://")
    _opened(url)


def name_of(url: str) -> str:
    """Return the file name that a URL ends with."""
    if _protocol(url) in _WEB:
        url = unquote(urlsplit(url).path)
    return PurePosixPath(url).name


def join(url: str, name: str) -> str:
    """Return the URL of ``name``, which may have folders, below ``url``."""
    return f"{url.rstrip('/')}/{name}"


def stored(url: str) -> Stored | None:
    """Return what is stored at ``url``, None if there is nothing, or only a prefix of names.

    Raises:
        StoreError: there is no answer.
    """
    fs, path = _opened(url)
    try:
        info = insist(url, lambda: _call(fs, "info", path))
    except FileNotFoundError:
        return None
    return None if info.get("type") == "directory" else _stored(url, info)


def folders_below(url: str) -> Iterator[list[Stored]]:
    """Yield what lies below ``url``, one folder's objects at a time, in the order of their names.

    Nothing else is kept, so that the first photos are known at once and memory is that of the
    largest folder. A folder that is not there has nothing.

    Raises:
        StoreError: there is no answer.
        ValueError: the store cannot list, such as a web server.
    """
    fs, root = _opened(url)
    if _protocol(url) in _WEB:
        raise ValueError(f"{url} cannot be listed; name the photos' URLs, or put them in a --list")
    found = _pages(fs, root, url) if hasattr(fs, "call_s3") else _walk(fs, root, url)
    for folder in found:
        below = (_stored(url.rstrip("/") + path[len(root) :], info) for path, info in folder)
        yield sorted(below)


def read_bytes(url: str, size: int | None = None) -> bytes:
    """Return what is stored at ``url``; one of another ``size`` is read again.

    Raises:
        StoreError: it is not there, not allowed, or there is no whole answer.
    """
    fs, path = _opened(url)

    def read() -> bytes:
        data = _call(fs, "cat_file", path, expected=size or 0)
        if size is not None and len(data) != size:
            raise OSError(f"{len(data):,} of {size:,} bytes came")
        return data

    try:
        return insist(url, read)
    except FileNotFoundError as error:
        raise StoreError(f"{url}: not found") from error


def write_bytes(url: str, data: bytes) -> None:
    """Store ``data`` at ``url``, in one piece; until it is complete, whatever was there stays.

    Raises:
        StoreError: the store refuses, or does not answer.
    """
    fs, path = _opened(url)
    insist(url, lambda: _call(fs, "pipe_file", path, data, expected=len(data)))


def write_new_bytes(url: str, data: bytes) -> None:
    """Store ``data`` at ``url``, in one piece, if nothing is there.

    Stores that can are asked to refuse if something appears there in the same moment.

    Raises:
        FileExistsError: something else is there; it is not changed.
        StoreError: the store refuses, or does not answer.
    """
    fs, path = _opened(url)

    def write() -> None:
        if _is_there(fs, path):
            raise FileExistsError(errno.EEXIST, "something is stored there", url)
        try:
            _call(fs, "pipe_file", path, data, expected=len(data), mode="create")
        except Exception as error:
            if status_of(error) == _TAKEN:
                raise FileExistsError(errno.EEXIST, "something is stored there", url) from error
            if getattr(error, "errno", None) != errno.ENOSYS:
                raise
            _call(fs, "pipe_file", path, data, expected=len(data))  # it cannot refuse

    try:
        insist(url, write)
    except FileExistsError:
        # An attempt may have arrived whose answer was lost: then what is there is this.
        if read_bytes(url) != data:
            raise


def delete(url: str) -> None:
    """Delete what is stored at ``url``; it may be gone already."""
    fs, path = _opened(url)
    with contextlib.suppress(FileNotFoundError):
        insist(url, lambda: _call(fs, "rm_file", path))


def _protocol(url: str) -> str:
    return url.partition("://")[0].lower()


def _opened(url: str) -> "tuple[AbstractFileSystem, str]":
    """Return the file system of a URL, the same one each time, and the path in it."""
    try:
        import fsspec
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{url} needs a package: pip install fsspec") from error

    protocol = _protocol(url)
    try:
        kind = fsspec.get_filesystem_class(protocol)
    except ImportError as error:
        raise ModuleNotFoundError(f"{url} needs a package: {first_line(error)}") from error
    except ValueError as error:
        raise ValueError(f"{url}: {protocol}:// is not a kind of URL that fsspec knows") from error
    options = kind._get_kwargs_from_urls(url) | _OPTIONS.get(protocol, {})
    # Listings are not kept: they would be out of date, and as large as the store.
    fs = fsspec.filesystem(protocol, use_listings_cache=False, **options)
    return fs, kind._strip_protocol(url)


def _call(fs: "AbstractFileSystem", name: str, *values: Any, expected: int = 0, **named):
    """Return what a method of a file system does, in good time where that can be limited.

    ``expected`` are the bytes that it carries.
    """
    if not getattr(fs, "async_impl", False):
        return getattr(fs, name)(*values, **named)
    from fsspec.asyn import sync
    from fsspec.exceptions import FSTimeoutError

    try:
        seconds = _LONGEST + expected / _SLOWEST
        return sync(fs.loop, getattr(fs, f"_{name}"), *values, timeout=seconds, **named)
    except FSTimeoutError as error:
        raise TimeoutError("no answer in time") from error
    except FileNotFoundError as error:
        # A web server that is busy is "not found" as well; only its answer tells.
        if isinstance(error.__cause__, Exception) and status_of(error.__cause__) not in {None, 404}:
            raise error.__cause__ from None
        raise


def _is_there(fs: "AbstractFileSystem", path: str) -> bool:
    try:
        return _call(fs, "info", path).get("type") != "directory"
    except FileNotFoundError:
        return False


def _stored(url: str, info: dict) -> Stored:
    tags = (_text(info[name]) for name in _TAGS if info.get(name))
    times = (_seconds_since_1970(info[name]) for name in _TIMES if info.get(name))
    return Stored(url, info.get("size"), next(tags, ""), next(times, 0))


def _text(tag: Any) -> str:
    """Return a tag as a word; a time is the same one however a store spells it."""
    return str(_seconds_since_1970(tag) or tag).strip('"')


def _seconds_since_1970(time: Any) -> float:
    if isinstance(time, datetime):
        return time.timestamp()
    return float(time) if isinstance(time, int | float) else 0


def _walk(fs: "AbstractFileSystem", path: str, url: str) -> Iterator[list[tuple[str, dict]]]:
    """Yield the files of ``path`` and of each folder below it: (path, what is known)."""
    try:
        entries = insist(url, lambda: _call(fs, "ls", path, detail=True))
    except FileNotFoundError:
        return
    entries = [entry for entry in entries if entry["name"].rstrip("/") != path.rstrip("/")]
    yield [(entry["name"], entry) for entry in entries if entry["type"] == "file"]
    folders = sorted(entry["name"] for entry in entries if entry["type"] == "directory")
    for folder in folders:
        yield from _walk(fs, folder, url)


def _pages(fs: "AbstractFileSystem", root: str, url: str) -> Iterator[list[tuple[str, dict]]]:
    """Yield the same as ``_walk`` from one listing by prefix, a page at a time.

    S3 lists names in order, with those of subfolders in between: a folder is complete when a name
    comes that is not below it.
    """
    bucket, key, _ = fs.split_path(root)
    open_folders: dict[str, list[tuple[str, dict]]] = {}
    for info in _keys(fs, bucket, f"{key}/" if key else "", url):
        folder = f"{bucket}/{info['Key']}".rpartition("/")[0]
        for done in [name for name in open_folders if not f"{folder}/".startswith(f"{name}/")]:
            yield open_folders.pop(done)
        open_folders.setdefault(folder, []).append((f"{bucket}/{info['Key']}", info))
    yield from open_folders.values()


def _keys(fs: "AbstractFileSystem", bucket: str, prefix: str, url: str) -> Iterator[dict]:
    """Yield what S3 says of each object; a page that fails is asked for again."""
    after, goes_on = "", True
    while goes_on:
        page = insist(
            url,
            lambda after=after: _call(
                fs, "call_s3", "list_objects_v2", Bucket=bucket, Prefix=prefix, StartAfter=after
            ),
        )
        found = page.get("Contents", [])
        goes_on = bool(page.get("IsTruncated") and found)
        for info in found:
            after = info["Key"]
            if not after.endswith("/"):  # what consoles create to show an empty folder
                yield {**info, "size": info["Size"]}
