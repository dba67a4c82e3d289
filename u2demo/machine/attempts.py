"""an operation of a store -> what it gives: several attempts, with pauses that grow."""

import random
import re
import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PAUSES = (0.5, 1, 2, 4, 8)  # seconds between attempts, each made up to half as long again
_UNANSWERED = 3  # attempts at most that get no answer in time
# Errors that another attempt does not change.
_FINAL = (
    FileNotFoundError,
    PermissionError,
    FileExistsError,
    IsADirectoryError,
    NotADirectoryError,
    ImportError,
    NotImplementedError,
    TypeError,
    ValueError,
)
_FINAL_NAMES = {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "RefreshError"}
_ASK_AGAIN = {408, 425, 429}  # answers of a server that are not final, below 500

impatient = threading.Event()  # once it is set, nothing is tried again: somebody waits for the end


class StoreError(OSError):
    """A store refused, or did not answer in spite of several attempts; the text says which."""


def insist(url: str, operation: Callable[[], T]) -> T:
    """Return ``operation()``, tried again with growing pauses unless the error is final."""
    began = time.monotonic()
    failed = 0
    while True:
        try:
            return operation()
        except Exception as error:
            if _is_final(error):
                raise _with_advice(url, error) from error
            failed += 1
            most = _UNANSWERED if isinstance(error, TimeoutError) else len(PAUSES) + 1
            if failed >= most or impatient.is_set():
                attempts = "1 attempt" if failed == 1 else f"{failed} attempts"
                tried = f"{attempts} in {time.monotonic() - began:.0f} s"
                why = first_line(error)
                raise StoreError(f"{url}: the store does not respond: {why} ({tried})") from error
        # By chance longer, so that many machines do not ask in step.
        time.sleep(PAUSES[failed - 1] * random.uniform(1, 1.5))


def _is_final(error: Exception) -> bool:
    status = status_of(error)
    if status is not None and not isinstance(error, OSError):
        return 400 <= status < 500 and status not in _ASK_AGAIN
    return isinstance(error, _FINAL) or type(error).__name__ in _FINAL_NAMES


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that an error or its cause carries, None if neither does."""
    for raised in (error, error.__cause__):
        answer = getattr(raised, "response", None)  # botocore
        if isinstance(answer, dict):
            return answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
        for name in ("status", "code"):  # aiohttp, gcsfs
            status = str(getattr(raised, name, ""))
            if status.isdecimal():
                return int(status)
    return None


def _with_advice(url: str, error: Exception) -> Exception:
    """Return a final error that names the URL and the next step."""
    if isinstance(error, FileNotFoundError):
        return FileNotFoundError(f"{url}: {first_line(error)}")
    if isinstance(error, FileExistsError | ImportError):
        return error
    if isinstance(error, PermissionError) or type(error).__name__ in _FINAL_NAMES:
        return StoreError(f"{url}: not allowed: {first_line(error)}; are your credentials set?")
    return StoreError(f"{url}: {first_line(error)}")


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says."""
    lines = re.sub(r"^\[Errno -?\d+\] ", "", str(error).strip()).splitlines()
    return lines[0] if lines else type(error).__name__
