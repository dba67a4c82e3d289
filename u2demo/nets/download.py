"""url -> growing file: download from one source, and give up in time.

Nothing here knows which bytes are right: ``store`` checks them before they are used.
"""

import concurrent.futures
import contextlib
import http.client
import io
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import requests

DRIVE = "https://drive.google.com/"
PATIENCE = 30.0  # seconds; a source that sends less than TRICKLE in this time is given up
TRICKLE = 64_000  # bytes; at 2 kB/s, u2net would take a day
ATTEMPTS = 10  # connections that may break, if each has brought something
_CHUNK = 1 << 15  # bytes; small enough for a slow line to show progress
_FIRST_BYTES = (b"P", b"\x80")  # of a zip archive, and of a pickle from before PyTorch 1.6


class RefusedError(Exception):
    """One source cannot give the file; the text says why."""


class StorageError(OSError):
    """This machine cannot keep the file, so that no other source helps; ``strerror`` says why."""


class Stopped(BaseException):
    """Raised by a progress callback to end a download; what has arrived is kept."""


class Part:
    """The growing file of one attempt; it continues where an earlier attempt stopped.

    ``whole`` is the size of the complete file in bytes, None while it is unknown; ``most`` limits
    it.
    """

    def __init__(self, path: Path, whole: int | None, most: int):
        self.whole = whole
        self.most = most
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
            raise RefusedError(f"sent something other than weights: {_glimpse(block)}")
        limit = self.most if self.whole is None else self.whole
        if self.size + len(block) > limit:
            raise RefusedError(f"sent more than the {limit:,} bytes of the file")
        with _storage():
            if not self.size:
                self._file.truncate(0)
            self._file.write(block)
        self.size += len(block)
        self.received += len(block)

    def flush(self) -> None:
        """Pass written bytes on to the operating system; gdown calls this."""
        with _storage():
            self._file.flush()

    def restart(self) -> None:
        """Begin again with the next write; until then an earlier attempt's bytes stay."""
        self.size = 0


def download(
    url: str, path: Path, *, size: int | None, most: int, progress: Callable[[int], None]
) -> bool:
    """Download all of ``url`` to ``path``, resuming after broken connections.

    ``size`` is the size of the whole file in bytes, None if it is unknown; then ``most`` limits it.
    ``progress`` is called with the bytes received so far, about ten times a second, and may raise
    ``Stopped``. Returns whether the file was joined from several connections.

    Raises:
        RefusedError: the source fails.
        StorageError: the disk fails.
    """
    for _ in range(ATTEMPTS):
        with contextlib.closing(Part(path, size, most)) as part:
            before = part.size
            if before == size:
                return True
            if size is not None and before > size:
                part.restart()
            try:
                _attempt(url, part, progress)
                return part.received < part.size
            except (RefusedError, StorageError):
                raise
            except Exception as error:  # whatever a server, a proxy or gdown may come up with
                if part.size <= before:
                    raise RefusedError(_explain(error, part)) from None
    raise RefusedError(f"broke off {ATTEMPTS} times, the last time after {part.size:,} bytes")


def _attempt(url: str, part: Part, progress: Callable[[int], None]) -> None:
    """Fill ``part`` from ``url``; give up when it hardly grows.

    The work is done in a thread that can be abandoned: no socket timeout covers name lookup,
    headers that drip in byte by byte, or gdown 5, which has no timeout.
    """
    outcome: concurrent.futures.Future[None] = concurrent.futures.Future()
    job = _get_from_drive if url.startswith(DRIVE) else _get
    threading.Thread(target=_settle, args=(outcome, job, url, part), daemon=True).start()
    mark, deadline = part.size, time.monotonic() + PATIENCE
    while not concurrent.futures.wait([outcome], timeout=0.1).done:
        progress(part.size)
        if time.monotonic() > deadline:
            if abs(part.size - mark) < TRICKLE:
                raise RefusedError(f"sent next to nothing for {PATIENCE:g} seconds")
            mark, deadline = part.size, time.monotonic() + PATIENCE
    outcome.result()
    progress(part.size)
    if part.whole is not None and part.size < part.whole:
        raise ConnectionError(f"stopped after {part.size:,} of {part.whole:,} bytes")


def _settle(outcome: concurrent.futures.Future, job: Callable, url: str, part: Part) -> None:
    try:
        outcome.set_result(job(url, part))
    except BaseException as error:
        outcome.set_exception(error)


def _get(url: str, part: Part) -> None:
    """Append what is missing.

    ``requests`` has certificates on every system and respects proxies.
    """
    import requests

    headers = {"User-Agent": "u2demo", "Accept-Encoding": "identity"}
    if part.size:
        headers["Range"] = f"bytes={part.size}-"
    hooks = {"response": _drop_body_of_redirect}
    with requests.get(
        url, headers=headers, hooks=hooks, stream=True, timeout=2 * PATIENCE
    ) as response:
        if response.status_code == 416 and part.size:  # those bytes cannot belong to this file
            part.restart()
            return _get(url, part)
        if response.status_code not in (200, 206):
            raise RefusedError(f"HTTP {response.status_code} {response.reason}".strip())
        if "html" in response.headers.get("Content-Type", "").lower():
            page = next(response.iter_content(4096), b"")
            raise RefusedError(f"answered with a web page: {_glimpse(page)}")
        _agree_on_range(response.status_code, response.headers, part)
        for block in response.iter_content(_CHUNK):
            part.write(block)


def _drop_body_of_redirect(response: "requests.Response", **_: object) -> None:
    """Drop the body of a redirect, which ``requests`` would read to its end, however long."""
    if response.is_redirect:
        response.close()
        response.raw = io.BytesIO()


def _agree_on_range(status: int, headers: dict[str, str], part: Part) -> None:
    """Check that the body continues where ``part`` ends, and ends where the file does."""
    if status == 200:
        part.restart()
    elif not headers.get("Content-Range", "").startswith(f"bytes {part.size}-"):
        raise RefusedError("did not resume from the requested byte")
    length = headers.get("Content-Length", "")
    if length.isdecimal() and "Content-Encoding" not in headers:
        total = part.size + int(length)
        if status == 200 and part.whole not in (None, total):
            raise RefusedError(f"offers a file of {total:,} bytes instead of {part.whole:,}")
        if total > part.most:
            raise RefusedError(f"offers a file of {total:,} bytes, more than {part.most:,}")
        part.whole = part.whole or total


def _get_from_drive(url: str, part: Part) -> None:
    """Let gdown, 5 or 6, find its way through Google Drive's pages; it does not resume."""
    import gdown

    part.restart()
    try:
        gdown.download(url=url, output=part, quiet=True, use_cookies=False)
    except gdown.exceptions.FileURLRetrievalError as error:
        text = str(error).removeprefix("Failed to retrieve file url:")
        reason = text.partition("You may still")[0]  # the rest is advice, and long
        raise RefusedError(f"Google Drive refuses: {_in_one_line(reason)}") from None


def _explain(error: BaseException, part: Part) -> str:
    """Return in one line what happened."""
    if part.received:
        return f"stopped after {part.size:,} bytes"
    chain = [error]
    while cause := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(cause)
    for find, sentence in _SENTENCES:
        found = find(chain)
        if found is not None:
            text = getattr(found, "strerror", None) or str(found)
            kind = type(found).__name__
            return sentence.format(kind=kind, text=_in_one_line(text) or kind)
    return _in_one_line(str(error)) or type(error).__name__


def _proxy_error(chain: list[BaseException]) -> BaseException | None:
    import requests

    return _last(chain, requests.exceptions.ProxyError)


def _unknown_host(chain: list[BaseException]) -> BaseException | None:
    return _last(chain, socket.gaierror)


def _system_error(chain: list[BaseException]) -> BaseException | None:
    # The errors of requests are OSErrors as well, but not the system's.
    return _last([error for error in chain if not hasattr(error, "request")], OSError)


def _broken_http(chain: list[BaseException]) -> BaseException | None:
    return _last(chain, http.client.HTTPException)


def _last(chain: list[BaseException], kind: type) -> BaseException | None:
    """Return the innermost error of this kind, None if there is none."""
    found = [error for error in chain if isinstance(error, kind)]
    return found[-1] if found else None


# How to find the error that explains a failed attempt, and the sentence for it; the first match
# counts.
_SENTENCES = (
    (
        _proxy_error,
        "the proxy of this machine does not answer; check HTTP_PROXY and HTTPS_PROXY",
    ),
    (_unknown_host, "the host was not found; is this machine online?"),
    (_system_error, "{text}"),
    (_broken_http, "its answer is not valid HTTP ({kind})"),
)


def _in_one_line(text: str) -> str:
    return " ".join(text.split())[:200]


def _glimpse(page: bytes) -> str:
    """Return the title of a web page, or the first characters of anything else, in quotes."""
    text = page.decode("utf-8", "replace")
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.S | re.I)
    quote = " ".join((title[1] if title else text[:60]).split())[:80]
    return '"' + "".join(c for c in quote if c.isprintable() and c != "\ufffd") + '"'


@contextlib.contextmanager
def _storage() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(error.errno, error.strerror or str(error)) from error
