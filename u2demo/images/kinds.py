"""file -> its kind, if it is a clip, or a picture of a kind that u2demo cannot read."""

import re
from pathlib import Path
from typing import NamedTuple

_EXPORT = "export it as JPEG, PNG or TIFF"


class _Kind(NamedTuple):
    """A kind of picture: what it is called, its suffixes, and what helps."""

    name: str
    suffixes: str
    advice: str = _EXPORT


_KINDS = (
    _Kind(
        "a camera's raw file",
        ".dng .cr2 .cr3 .crw .nef .nrw .arw .sr2 .srf .raf .orf .rw2 .rwl .pef .srw .x3f .3fr .fff"
        " .iiq .mos .mrw .kdc .dcr .k25 .erf .mef .gpr",
        "develop it and export it as JPEG or TIFF",
    ),
    _Kind("a JPEG 2000 picture", ".jp2 .j2k .j2c .jpc .jpf .jpx .jpm"),
    _Kind("a JPEG XL picture", ".jxl"),
    _Kind("a JPEG XR picture", ".jxr .wdp .hdp"),
    _Kind("a JPEG-LS picture", ".jls"),
    _Kind("a Photoshop file", ".psd .psb"),
    _Kind("a file of a drawing program", ".xcf .kra .ora .afphoto .pdn .clip .procreate .sketch"),
    _Kind("a TGA picture", ".tga .targa .icb .vda .vst"),
    _Kind("a Netpbm picture", ".ppm .pgm .pbm .pnm .pfm .pam"),
    _Kind("an icon", ".ico .cur .icns"),
    _Kind("a vector drawing", ".svg .svgz .eps .wmf .emf"),
    _Kind("an OpenEXR picture", ".exr"),
    _Kind("a Radiance HDR picture", ".hdr .rgbe"),
    _Kind("a texture", ".dds .ktx .ktx2"),
    _Kind("a medical picture (DICOM)", ".dcm .dicom"),
    _Kind("an astronomical picture (FITS)", ".fits .fit .fts"),
    _Kind("a DjVu document", ".djvu .djv"),
    _Kind("a picture in an old format", ".pcx .dcx .sgi .xbm .xpm .wbmp .pcd .mng .jng .ras"),
    _Kind("a QOI picture", ".qoi"),
    _Kind("a picture in a rare format", ".bpg .flif .vicar"),
)
_BY_SUFFIX = {suffix: kind for kind in _KINDS for suffix in kind.suffixes.split()}
# The first bytes of such files that have lost their suffix, and one suffix of their kind.
_SIGNATURES = (
    (rb"\0\0\0\x0cjP  \r\n|\xff\x4f\xff\x51", ".jp2"),
    (rb"\0\0\0\x0cJXL \r\n", ".jxl"),
    (rb"II\xbc\x01", ".jxr"),
    (rb"8BPS\0[\1\2]", ".psd"),
    (rb"gimp xcf ", ".xcf"),
    (rb"P[4-6]\s\d", ".ppm"),
    (rb"v/1\x01", ".exr"),
    (rb"#\?RADIANCE", ".hdr"),
    (rb"DDS \x7c\0\0\0", ".dds"),
    (rb"SIMPLE  =", ".fits"),
    (rb"AT&TFORM", ".djvu"),
    (rb"qoif", ".qoi"),
    (rb"BPG\xfb|FLIF", ".bpg"),
    (rb"FUJIFILMCCD-RAW|IIU\0|IIR[OS]|FOVb|\0MRM|....ftypcrx |II\x1a\0\0\0HEAPCCDR", ".raf"),
)
_CLIPS = (
    ".mp4 .m4v .mov .qt .webm .mkv .avi .wmv .asf .flv .f4v .mpg .mpeg .m2v .mts .m2ts .3gp .3g2"
    " .ogv .mxf .vob .dv .ivf .y4m"
)
_SOUND = ".mka .mks .weba .wma .m4a .m4b"  # kept in the same containers
# The first bytes of clips: MP4 and MOV (not HEIC, AVIF or sound), Matroska and WebM, AVI, FLV, ASF,
# MPEG, IVF, and MPEG-TS, whose suffix .ts TypeScript has as well.
_CLIP = re.compile(
    rb"....ftyp(?:is|mp4|avc|qt|M4V|MSN|3g|dash|iso|f4v)|....moov|\x1a\x45\xdf\xa3|RIFF....AVI "
    rb"|FLV\x01|\x30\x26\xb2\x75\x8e\x66\xcf\x11|\0\0\x01[\xba\xb3]|DKIF"
    rb"|G@[\0\x11].",
    re.DOTALL,
)
# What iCloud leaves in place of a photo that is not on this computer.
_IN_ICLOUD = re.compile(r"\.(.+)\.icloud")


def why_unread(file: Path, first: bytes | None = None) -> str:
    """Return what kind of picture ``file`` is, and what helps, if u2demo cannot read that kind.

    That is told by the suffix or, if the suffix says nothing, by the ``first`` bytes, which are
    read unless they are given. For other files it is "".
    """
    if in_icloud(file.name):
        return "a photo in iCloud that is not on this computer; download it first"
    kind = _BY_SUFFIX.get(file.suffix.lower())
    if kind is None:
        kind = _by_signature(_first_bytes(file) if first is None else first)
    return f"{kind.name}, which u2demo cannot read; {kind.advice}" if kind else ""


def is_clip(file: Path, first: bytes | None = None) -> bool:
    """Return whether ``file`` is a clip, told by its suffix or, if that says nothing, its content.

    ``first`` are its first bytes, which are read unless they are given.
    """
    suffix = file.suffix.lower()
    if suffix in _CLIPS.split():
        return True
    if suffix in _SOUND.split() or suffix in _BY_SUFFIX:
        return False
    return _CLIP.match(_first_bytes(file) if first is None else first) is not None


def _first_bytes(file: Path) -> bytes:
    try:
        if not file.is_file():  # a pipe of that name may never end
            return b""
        with file.open("rb") as opened:
            return opened.read(16)
    except OSError:
        return b""


def in_icloud(name: str) -> str:
    """Return the name of the photo that the file called ``name`` stands for, "" if for none."""
    match = _IN_ICLOUD.fullmatch(name)
    return match[1] if match else ""


def _by_signature(first: bytes) -> _Kind | None:
    for pattern, suffix in _SIGNATURES:
        if re.match(pattern, first, re.DOTALL):
            return _BY_SUFFIX[suffix]
    return None
