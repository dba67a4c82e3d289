"""url -> growing file: download from one source, and give up in time.

Nothing here knows which bytes are right: ``store`` checks them before they are used.
"""

import concurrent.futures
import contextlib
import email.utils
import re
import threading
import time
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from u2demo.machine.names import printable
from u2demo.nets.connection import Line, RedirectError, get, open_session
from u2demo.nets.reasons import explain, glimpse, in_one_line

if TYPE_CHECKING:
    import requests

DRIVE = "https://drive.google.com/"
PATIENCE = 30.0  # seconds; a source that sends less than TRICKLE in this time is given up
TRICKLE = 64_000  # bytes; at 2 kB/s, u2net would take a day
ATTEMPTS = 10  # connections that may break, if each has brought something
LONGEST_WAIT = 60  # seconds that a source may ask for, once, when it is busy
_BUSY = (429, 503)  # HTTP's Too Many Requests and Service Unavailable
_CHUNK = 1 << 15  # bytes; small enough for a slow line to show progress
_PAGE = 1 << 18  # bytes of a web page that are read; Google Drive's have a few thousand
_FIRST_BYTES = (b"P", b"\x80")  # of a zip archive, and of a pickle from before PyTorch 1.6
_GZIP = ("gzip", "x-gzip")


class RefusedError(Exception):
    """One source cannot give the file; the text says why."""

    def __init__(self, text: str):
        super().__init__(printable(text))  # it may quote the source


class _BusyError(RefusedError):
    """The source asks for a pause of ``seconds``."""

    def __init__(self, text: str, seconds: float):
        super().__init__(text)
        self.seconds = seconds


class StorageError(OSError):
    """This machine cannot keep the file, so that no other source helps; ``strerror`` says why."""


class Stopped(BaseException):
    """Raised by a progress callback to end a download; what has arrived is kept."""


class Part:
    """The growing file of one attempt; it continues where an earlier attempt stopped.

    ``whole`` is the size of the complete file in bytes, None while it is unknown; ``most`` limits
    it. ``version`` is the source's word for what earlier attempts brought, None if it has none.
    """

    def __init__(self, path: Path, whole: int | None, most: int, version: str | None = None):
        self.whole = whole
        self.most = most
        self.version = version
        self.received = 0  # bytes of this attempt
        with _storage():
            self._file = path.open("ab")
            self.size = self._file.tell()

    def close(self) -> None:
        """End the attempt; an abandoned thread fails when it writes again."""
        with _storage():
            self._file.close()

    def write(self, block: bytes) -> None:
        """Append ``block``; raise as soon as it is clear that this is not the file."""
        if block and not self.size and not block.startswith(_FIRST_BYTES):
            raise RefusedError(f"sent something other than weights: {glimpse(block)}")
        limit = self.most if self.whole is None else self.whole
        if self.size + len(block) > limit:
            raise RefusedError(f"sent more than the {limit:,} bytes of the file")
        with _storage():
            if not self.size:
                self._file.truncate(0)
            self._file.write(block)
        self.size += len(block)
        self.received += len(block)

    def restart(self) -> None:
        """Begin again with the next write; until then an earlier attempt's bytes stay."""
        self.size = 0


def download(
    url: str, path: Path, *, size: int | None, most: int, progress: Callable[[int], None]
) -> bool:
    """Download all of ``url`` to ``path``, resuming after broken connections.

    ``size`` is the size of the whole file in bytes. It is None if nobody has published how to check
    the file: then ``most`` limits it, and only pieces that the source calls one version are joined.
    ``progress`` is called with the bytes received so far, about ten times a second, and may raise
    ``Stopped``. Returns whether the file was joined from several connections.

    A busy source that asks for at most ``LONGEST_WAIT`` seconds is waited for once, with a warning.

    Raises:
        RefusedError: the source fails.
        StorageError: the disk fails.
    """
    version = None
    may_wait = True
    for _ in range(ATTEMPTS):
        with contextlib.closing(Part(path, size, most, version)) as part:
            before = part.size
            if before == size:
                return True
            if before > (size or most) or (size is None and version is None):
                part.restart()
            try:
                _attempt(url, part, progress)
                return part.received < part.size
            except _BusyError as busy:
                if not may_wait or busy.seconds > LONGEST_WAIT:
                    raise
                may_wait = False
                pause = busy.seconds
            except (RefusedError, StorageError):
                raise
            except Exception as error:  # whatever a server, a proxy or a library may come up with
                if part.size <= before:
                    raise RefusedError(_reason(error, part)) from None
                pause = 0
            version = part.version
        if pause:
            _wait(url, pause, part, progress)
    raise RefusedError(f"broke off {ATTEMPTS} times, the last time after {part.size:,} bytes")


def _wait(url: str, seconds: float, part: Part, progress: Callable[[int], None]) -> None:
    host = printable(urlsplit(url).hostname)
    warnings.warn(f"{host} is busy and asks to wait {seconds:.0f} seconds; waiting", stacklevel=2)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        progress(part.size)
        time.sleep(0.1)


def _attempt(url: str, part: Part, progress: Callable[[int], None]) -> None:
    """Fill ``part`` from ``url``; give up when it hardly grows.

    The work is done in a thread, whose connections are ended when this returns: no socket timeout
    covers name lookup, or headers that drip in byte by byte.
    """
    outcome: concurrent.futures.Future[None] = concurrent.futures.Future()
    line = Line()
    worker = threading.Thread(target=_settle, args=(outcome, line, url, part), daemon=True)
    worker.start()
    try:
        mark, deadline = part.size, time.monotonic() + PATIENCE
        while not concurrent.futures.wait([outcome], timeout=0.1).done:
            progress(part.size)
            if time.monotonic() > deadline:
                if abs(part.size - mark) < TRICKLE:
                    raise RefusedError(f"sent next to nothing for {PATIENCE:g} seconds")
                mark, deadline = part.size, time.monotonic() + PATIENCE
    finally:
        line.hang_up()
        worker.join(timeout=1)  # a name lookup takes as long as it takes
    outcome.result()
    progress(part.size)
    if part.whole is not None and part.size < part.whole:
        raise ConnectionError(f"stopped after {part.size:,} of {part.whole:,} bytes")


def _reason(error: BaseException, part: Part) -> str:
    return f"stopped after {part.size:,} bytes" if part.received else explain(error)


def _settle(outcome: concurrent.futures.Future, line: Line, url: str, part: Part) -> None:
    try:
        with open_session(line) as session:
            if url.startswith(DRIVE):
                url = _way_past_drives_page(session, url)
            _fill(session, url, part)
        outcome.set_result(None)
    except RedirectError as error:
        outcome.set_exception(RefusedError(str(error)))
    except BaseException as error:
        outcome.set_exception(error)


def _fill(session: "requests.Session", url: str, part: Part) -> None:
    """Append what is missing, or begin again if the source has another version by now."""
    headers = {"Accept-Encoding": "identity"}
    if part.size:
        headers["Range"] = f"bytes={part.size}-"
        if part.version:
            headers["If-Range"] = part.version
    with get(session, url, headers, timeout=2 * PATIENCE) as response:
        status, fields = response.status_code, response.headers
        if part.size and _is_of_another_file(status, fields, part):
            part.restart()
            response.close()
            return _fill(session, url, part)
        _check_status(response)
        if "html" in fields.get("Content-Type", "").lower():
            raise RefusedError(f"answered with a web page: {glimpse(_beginning(response))}")
        _agree_on_range(status, fields, part)
        encoding = fields.get("Content-Encoding", "").lower()
        for block in _decoded(response.raw.stream(_CHUNK, decode_content=False), encoding):
            part.write(block)


def _is_of_another_file(status: int, fields: Mapping[str, str], part: Part) -> bool:
    """Return whether the answer shows that the bytes at hand do not belong to this file."""
    if status == 416:  # Range Not Satisfiable
        return True
    return status == 206 and part.version is not None and _version(fields) != part.version


def _version(fields: Mapping[str, str]) -> str | None:
    """Return a validator for If-Range (RFC 9110, 13.1.5): a strong ETag, or else a date."""
    tag = fields.get("ETag", "")
    return tag if tag.startswith('"') else fields.get("Last-Modified")


def _check_status(response: "requests.Response") -> None:
    """Raise ``RefusedError`` unless the answer is the file or a part of it."""
    status = response.status_code
    if status in (200, 206):
        return
    text = in_one_line(f"HTTP {status} {response.reason or ''}")
    seconds = _seconds(response.headers.get("Retry-After", ""))
    if status in _BUSY and seconds is not None:
        raise _BusyError(f"{text}; it asks to come back in {seconds:,.0f} seconds", seconds)
    raise RefusedError(text)


def _seconds(retry_after: str) -> float | None:
    """Return the seconds that a Retry-After header asks for, None if it says nothing clear."""
    if re.fullmatch("[0-9]{1,9}", retry_after):
        return float(retry_after)
    try:
        moment = email.utils.parsedate_to_datetime(retry_after).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, moment - time.time())


def _agree_on_range(status: int, fields: Mapping[str, str], part: Part) -> None:
    """Check that the body continues where ``part`` ends, and ends where the file does."""
    is_encoded = fields.get("Content-Encoding", "identity").lower() != "identity"
    if status == 200:
        part.restart()
    else:
        _check_range(fields.get("Content-Range", ""), part)
        if is_encoded:
            raise RefusedError("sent a part of a compressed file, which cannot be joined")
    part.version = None if is_encoded else _version(fields)
    length = fields.get("Content-Length", "")
    if re.fullmatch("[0-9]{1,18}", length) and not is_encoded:
        total = part.size + int(length)
        if status == 200 and part.whole not in (None, total):
            raise RefusedError(f"offers a file of {total:,} bytes instead of {part.whole:,}")
        if total > part.most:
            raise RefusedError(f"offers a file of {total:,} bytes, more than {part.most:,}")
        part.whole = part.whole or total


def _check_range(content_range: str, part: Part) -> None:
    found = re.fullmatch(r"bytes ([0-9]+)-[0-9]+/([0-9]+|\*)", content_range.strip())
    if not found or found[1] != str(part.size):
        raise RefusedError("did not resume from the requested byte")
    if found[2] != "*" and part.whole not in (None, int(found[2][:18])):
        raise RefusedError(f"resumed a file of {found[2][:18]} bytes instead of {part.whole}")


def _decoded(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield the content in small blocks, so that a gzip bomb can be refused at any of them."""
    if encoding in ("", "identity"):
        yield from blocks
        return
    if encoding not in _GZIP:
        raise RefusedError(f"sent it compressed as {encoding!r:.40}, though asked not to")
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)  # 16: with gzip's header
    for block in blocks:
        yield reader.decompress(block, _CHUNK)
        while reader.unconsumed_tail:
            yield reader.decompress(reader.unconsumed_tail, _CHUNK)


def _way_past_drives_page(session: "requests.Session", url: str) -> str:
    """Return the address behind Google Drive's warning that a large file cannot be scanned.

    gdown, 5 or 6, reads the page; it would download without a limit and does not resume.
    """
    from gdown.download import get_url_from_gdrive_confirmation
    from gdown.exceptions import FileURLRetrievalError

    with get(session, url, {"Accept-Encoding": "identity"}, timeout=2 * PATIENCE) as response:
        _check_status(response)
        if "html" not in response.headers.get("Content-Type", "").lower():
            return url
        page = _beginning(response).decode("utf-8", "replace")
    try:
        behind = get_url_from_gdrive_confirmation(page)
    except FileURLRetrievalError as error:
        reason = str(error).removeprefix("Failed to retrieve file url:")
        reason = reason.partition("You may")[0]  # the rest is advice, and long
        raise RefusedError(f"Google Drive refuses: {in_one_line(reason)}") from None
    if not behind.startswith("https:"):
        raise RefusedError(f"Google Drive leads to something less safe than https: {behind}")
    return behind


def _beginning(response: "requests.Response") -> bytes:
    """Return at most ``_PAGE`` bytes of the body."""
    found = bytearray()
    encoding = response.headers.get("Content-Encoding", "").lower()
    for block in _decoded(response.raw.stream(_CHUNK, decode_content=False), encoding):
        found += block
        if len(found) > _PAGE:
            break
    return bytes(found[:_PAGE])


@contextlib.contextmanager
def _storage() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(error.errno, error.strerror or str(error)) from error
