"""mutant -> outcome: what a hostile file did, on its whole way from bytes to pictures on disk."""

import contextlib
import io
import os
import re
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bright import Bright
from mutants import make_mutant
from PIL import Image

import u2demo as u2
from u2demo.images.read import open_image
from u2demo.pipeline import Result

SECONDS = 2.0  # of the processor, for reading one file
MEGABYTES = 500.0  # for reading one file, above the photo's own pixels
_WHOLE_WAY = 4_000_000  # pixels; larger photos are read, not worked on
_STATUS = Path("/proc/self/status")


@dataclass
class Outcome:
    """What became of a mutant; ``faults`` are broken promises, in words."""

    number: int
    size: tuple[int, int] | None = None  # None: refused
    reason: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0
    worked_on: bool = False
    faults: list[str] = field(default_factory=list)

    @property
    def extra_megabytes(self) -> float:
        """What reading took beside the photo's own pixels, three bytes each."""
        return self.megabytes - (self.size[0] * self.size[1] * 3e-6 if self.size else 0)


def survive(number: int, *, whole_way: bool) -> Outcome:
    """Return what mutant ``number`` does: read, and if it is a photo worked on and saved."""
    mutant, outcome = make_mutant(number), Outcome(number)
    with _listening(outcome):
        photo = _read(mutant.data, outcome)
        if photo and whole_way and photo.width * photo.height <= _WHOLE_WAY:
            outcome.worked_on = True
            try:
                _work_on(photo, number)
            except Exception as error:
                outcome.faults.append(f"worked on, {error!r}")
    return outcome


def _read(data: bytes, outcome: Outcome) -> Image.Image | None:
    file = io.BytesIO(data)
    file.name = "hostile.jpg"
    photo, before, start = None, _reset_peak(), time.process_time()
    try:
        photo = open_image(file)
    except ValueError as error:
        outcome.reason = str(error).partition("hostile.jpg: ")[2]
        if not outcome.reason:
            outcome.faults.append(f"refused without name or reason: {error!r}")
    except BaseException as error:
        outcome.faults.append(f"read, {error!r}")
    outcome.seconds = time.process_time() - start
    outcome.megabytes = _peak() - before
    if photo:
        outcome.size = photo.size
        if photo.mode not in ("RGB", "RGBA") or min(photo.size) < 1:
            outcome.faults.append(f"a photo of mode {photo.mode}, {photo.size}")
    if outcome.extra_megabytes > MEGABYTES:
        outcome.faults.append(f"{outcome.megabytes:.0f} MB to read {outcome.size}")
    if outcome.seconds > SECONDS:
        outcome.faults.append(f"{outcome.seconds:.1f} s to read {outcome.size}")
    return photo


def _work_on(photo: Image.Image, number: int) -> None:
    quality = "best" if number % 8 == 0 and max(photo.size) < 500 else "fast"
    names = list(u2.EFFECTS)
    name = names[number % len(names)]
    effects = {name: u2.EFFECTS[name]}
    (result,) = u2.process(_NET, [("../a\nphoto.jpg", photo)], effects=effects, quality=quality)
    with tempfile.TemporaryDirectory() as folder:
        (file,) = u2.save(result, folder)
        assert open_image(file).size == result.pictures[name].size
        _check(result)


def _check(result: Result) -> None:
    assert result.mask.shape == result.image.size[::-1]
    assert 0 <= result.mask.min() <= result.mask.max() <= 1


_NET = Bright().eval()


@contextlib.contextmanager
def _listening(outcome: Outcome) -> Iterator[None]:
    """Note as faults warnings, and whatever C libraries and loggers write to stderr."""
    with tempfile.TemporaryFile() as file, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        stderr = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
        file.seek(0)
        said = file.read().decode(errors="replace")
    outcome.faults += [f"a warning: {warning.message}" for warning in caught]
    outcome.faults += [f"stderr: {said}"] if said else []


def _reset_peak() -> float:
    with contextlib.suppress(OSError):  # Linux alone forgets the peak when asked
        Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> float:
    """Return the largest resident size, in megabytes, since it was reset."""
    if _STATUS.exists():
        return int(re.search(r"VmHWM:\s+(\d+)", _STATUS.read_text())[1]) * 1024 / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
