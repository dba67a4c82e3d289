"""The published weights, one frozen record each.

Sizes and hashes come from the Git LFS pointers of the copies named as sources, which agree with one
another; most are pinned to a commit. Google Drive, where the authors publish, comes last because it
turns people away once a file is popular.
"""

from dataclasses import dataclass
from typing import NamedTuple

from u2demo.machine.names import printable

_AUTHORS = "https://github.com/xuebinqin/U-2-Net"
_DRIVE = "https://drive.google.com/uc?id="
_HUB = "https://huggingface.co"
_LFS = "https://media.githubusercontent.com/media"
# https://github.com/xuebinqin/U-2-Net/issues/208: all released models follow the repository's
# license; users are asked to check the licenses of the data sets.
_LICENSE = "Apache-2.0; the training data has its own terms"


class WeightsError(OSError, ValueError):
    """A weights file is missing, damaged or not trustworthy; the text says what to do."""

    def __init__(self, text: str):
        lines = map(printable, text.split("\n"))  # it may quote a server, a file or its name
        super().__init__("\n".join(lines))


Color = tuple[float, float, float]  # red, green, blue


class Input(NamedTuple):
    """How a net wants its photos: ``model.input``, like timm's ``pretrained_cfg``.

    The photo is squeezed to a square. Its values are divided by 255 or by its own maximum, then
    ``mean`` is subtracted and the result divided by ``std``. The defaults are those of U²-Net
    (U-2-Net, data_loader.py); they also serve a net of your own that has no ``input``.
    """

    side: int = 320  # pixels
    mean: Color = (0.485, 0.456, 0.406)  # ImageNet's
    std: Color = (0.229, 0.224, 0.225)
    by_maximum: bool = True  # values are divided by the photo's maximum, not by 255
    upside_down: bool = True  # in training it saw photos upside down, too


# DIS mirrors photos in training, but turns none upside down (train_valid_inference_main.py).
DIS_INPUT = Input(1024, (0.5, 0.5, 0.5), (1.0, 1.0, 1.0), by_maximum=False, upside_down=False)


@dataclass(frozen=True)
class Checkpoint:
    """One published weights file, and all that is needed to fetch and trust it.

    A ``sha256`` of None means that nobody has published one: the first file that fits the network
    is trusted and its hash recorded, and ``bytes`` is only the size of one public copy. No
    ``sources`` means that the file ships inside the package.
    """

    name: str
    purpose: str
    architecture: str  # a key of architectures.ARCHITECTURES
    file: str
    bytes: int
    sha256: str | None
    sources: tuple[str, ...]  # URLs in the order in which they are tried
    origin: str  # the page where the authors publish it
    license: str
    input: Input = Input()  # noqa: RUF009 - a tuple cannot be changed
    makes: str = "mask"  # or "drawing"

    @property
    def size(self) -> str:
        """The size of the file in words, in megabytes of 10^6 bytes: ``176.3 MB``."""
        return f"{self.bytes / 1e6:.1f} MB"

    @property
    def most(self) -> int:
        """The most bytes that the file may have; without a hash, it may be larger than the copy."""
        return self.bytes if self.sha256 else self.bytes + self.bytes // 10


_RECORDS = (
    Checkpoint(
        name="u2netp",
        purpose="any subject; the quickest, ships inside",
        architecture="u2netp",
        file="u2netp.pth",
        bytes=4_801_247,
        sha256="4e24f44b109f70423fbcfd8a550bacafdb4c3c63837d3ec8a02ec8896b950a1e",
        sources=(),  # made by tools/import_u2netp.py
        origin=_AUTHORS,
        license=_LICENSE,
    ),
    Checkpoint(
        name="u2net",
        purpose="any subject, a little better; twice as slow",
        architecture="u2net",
        file="u2net.pth",
        bytes=176_290_937,
        sha256="10025a17f49cd3208afc342b589890e402ee63123d6f2d289a4a0903695cce58",
        sources=(
            f"{_HUB}/Carve/u2net-universal/resolve/10305d785481cf4b2eee1d447c39cd6e5f43d74b/full_weights.pth",
            f"{_HUB}/netradrishti/u2net-saliency/resolve/7be90880f2c00a8864982011315a7b8532e16dbe/models/u2net.pth",
            f"{_HUB}/damli/u2net/resolve/f85b540260c7f91060e46c16b6197924978a18de/u2net.pth",
            f"{_DRIVE}1ao1ovG1Qtx4b7EoskHXmi2E9rp5CHLcZ",
        ),
        origin=_AUTHORS,
        license=_LICENSE,
    ),
    Checkpoint(
        name="u2net_human_seg",
        purpose="people; twice as slow",
        architecture="u2net",
        file="u2net_human_seg.pth",
        bytes=176_315_793,
        sha256="13f0396e3f6fbc1d7ab55a8558640bef306a59b9110a5c595eb949ff69cf2414",
        sources=(
            f"{_HUB}/damli/u2net/resolve/f85b540260c7f91060e46c16b6197924978a18de/u2net_human_seg.pth",
            f"{_HUB}/spaces/hylee/u2net_portrait/resolve/090f070c392bddf3a889ffad51e4dd98c60a87c1/U-2-Net/saved_models/u2net_human_seg/u2net_human_seg.pth",
            f"{_LFS}/xiaorui999-hong/u2net-virtual-background/0e2c85507608b12e48217b63d64789a3199bcf6d/u2net_human_seg.pth",
            f"{_DRIVE}1m_Kgs91b21gayc2XLW0ou8yugAIadWVP",
        ),
        origin=_AUTHORS,
        license=_LICENSE,
    ),
    Checkpoint(
        name="u2net_portrait",
        purpose="line drawings of faces",
        architecture="u2net",
        file="u2net_portrait.pth",
        # The LFS copy below has this size and the sha256
        # fb9f0378a16868d08e2325c8b36eae2b174b040b91bf64781fbb5dd4d31712b4;
        # nothing shows that it is the authors' own file, so the hash is not required.
        bytes=176_315_791,
        sha256=None,
        sources=(
            f"{_HUB}/spaces/hylee/u2net_portrait/resolve/090f070c392bddf3a889ffad51e4dd98c60a87c1/U-2-Net/saved_models/u2net_portrait/u2net_portrait.pth",
            f"{_LFS}/Ahmed-Hamam/photo2portrait/ff5bf473cdaef974ad2ce6f68c6e49070f76fe8c/u2net_portrait.pth",
            f"{_DRIVE}1IG3HdpcRiDoWNookbncQjeaPN28t90yW",
        ),
        origin=_AUTHORS,
        license=_LICENSE,
        input=Input(side=512),
        makes="drawing",
    ),
    Checkpoint(
        name="isnet",
        purpose="any subject, in finer detail; several times slower",
        architecture="isnet",
        file="isnet-general-use.pth",
        bytes=176_579_397,
        sha256="9e1aafea58f0b55d0c35077e0ceade6ba1ba2bce372fd4f8f77215391f3fac13",
        sources=(
            f"{_HUB}/AlekseyKorshuk/isnet-general-use/resolve/b588c15aa81e18e08cd7bfeb665e7722a94e87c5/isnet-general-use.pth",
            f"{_HUB}/NimaBoscarino/IS-Net_DIS-general-use/resolve/main/isnet-general-use.pth",
            f"{_DRIVE}1XHIzgTzY5BQHw140EDIgwIb53K659ENH",
        ),
        origin="https://github.com/xuebinqin/DIS",
        license="Apache-2.0; the terms of its training data, DIS5K, restrict commercial use",
        input=DIS_INPUT,
    ),
)  # fmt: skip
CHECKPOINTS = {record.name: record for record in _RECORDS}
