"""Coverage-guided fuzzing: ``python tests/fuzz/guided.py images|weights [libFuzzer's options]``.

Needs ``pip install atheris`` (Linux and macOS; not part of ``make test`` or ``make fuzz``). It runs
until something breaks, or as long as ``-max_total_time=600`` says. An input that breaks something
is written to ``crash-...`` here; ``guided.py images crash-...`` tries it again. The first inputs
are those of ``seeds``. With ``-fork=1 -ignore_crashes=1`` a crash does not end the run.
"""

import io
import sys
import tempfile
from collections import OrderedDict
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["PIL", "u2demo"]):
    from u2demo.images import read
    from u2demo.nets import load
    from u2demo.nets.checkpoints import CHECKPOINTS, WeightsError

sys.path.insert(0, str(Path(__file__).parent))


def try_image(data: bytes) -> None:
    """Read ``data`` as a photo, or get a ``ValueError`` that names it."""
    file = io.BytesIO(data)
    file.name = "hostile.jpg"
    try:
        assert read.open_image(file).mode in ("RGB", "RGBA")
    except ValueError as error:
        assert str(error).startswith("hostile.jpg: ")


def try_weights(data: bytes) -> None:
    """Read ``data`` as a checkpoint: weights that fit, or a ``WeightsError`` naming the file."""
    with tempfile.NamedTemporaryFile(suffix=".pth") as file:
        file.write(data)
        file.flush()
        try:
            load.check_for(CHECKPOINTS["u2netp"])(Path(file.name))
        except WeightsError as error:
            assert str(error).startswith(file.name)


def image_seeds() -> list[bytes]:
    """Return a file of each kind."""
    from seeds import seeds

    return list(seeds().values())


def weights_seeds() -> list[bytes]:
    """Return small files as PyTorch writes them, zip and legacy."""
    import torch

    state = OrderedDict(a=torch.ones(2, 3), b=torch.nn.Parameter(torch.ones(1).expand(4)))
    files = []
    for content in (state, {"a": torch.ones(1).half()}, [1, "x"], {"a": b"x", "c": {2.5}}):
        for zipped in (True, False):
            file = io.BytesIO()
            torch.save(content, file, _use_new_zipfile_serialization=zipped)
            files.append(file.getvalue())
    return files


TARGETS = {"images": (try_image, image_seeds), "weights": (try_weights, weights_seeds)}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(__doc__)
    target, make_seeds = TARGETS[sys.argv[1]]
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(make_seeds()):
            (Path(corpus) / str(number)).write_bytes(seed)
        files = [argument for argument in sys.argv[2:] if not argument.startswith("-")]
        folders = [] if files else [corpus]
        atheris.Setup([sys.argv[0], *sys.argv[2:], *folders], target)
        atheris.Fuzz()
