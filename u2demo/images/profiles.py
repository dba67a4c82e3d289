"""(primaries, curve) -> ICC profile, for files that state their colors in another way.

The profiles are of version 4 and the matrix kind (ICC.1:2022, sections 8.3.3 and 10): linear red,
green and blue, each through its curve, become CIE XYZ under D50. Numbers of ITU-T H.273, which
PNG's cICP, AVIF and HEIC use, are in tables.
"""

import math
import struct
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_Point = tuple[float, float]  # CIE x, y

_D50 = np.array([0.9642, 1.0, 0.8249])  # ICC.1, section 7.2.16
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_D65 = 0.3127, 0.3290


class Primaries(NamedTuple):
    """The chromaticities of white and of pure red, green and blue."""

    white: _Point
    red: _Point
    green: _Point
    blue: _Point


SRGB = Primaries(_D65, (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_ADOBE_RGB = Primaries(_D65, (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
_ADOBE_GAMMA = 563 / 256  # Adobe RGB (1998) Color Image Encoding, section 4.3.4.2
# ITU-T H.273, table 2.
_PRIMARIES: Mapping[int, Primaries] = {
    1: SRGB,
    2: SRGB,  # unspecified
    4: Primaries((0.310, 0.316), (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: Primaries(_D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: Primaries(_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: Primaries(_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    9: Primaries(_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: Primaries((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: Primaries(_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: Primaries(_D65, (0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}
PQ, HLG = 16, 18
# The SDR transfers of television, and "unspecified", are shown with sRGB's curve on computers.
_LIKE_SRGB = {1, 2, 6, 13, 14, 15}
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}

# Parametric curve of type 3: (aX + b)^g above d, else cX. IEC 61966-2-1, 4.4.
_SRGB_CURVE = struct.pack(">4s4xHxx5i", b"para", 3, *(round(65536 * value) for value in (
    2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045,
)))  # fmt: skip


@cache
def adobe_rgb() -> bytes:
    """Return a profile of Adobe RGB (1998)."""
    return _profile("Adobe RGB (1998) compatible", _ADOBE_RGB, _gamma(_ADOBE_GAMMA))


@cache
def of_code_points(primaries: int, transfer: int) -> bytes | None:
    """Return a profile for H.273's numbers; None if they mean sRGB, or nothing that is known.

    PQ and HLG are toned down to what a profile can say; see ``_toned_down``.
    """
    space = _PRIMARIES.get(primaries)
    if space is None or (space is SRGB and transfer in _LIKE_SRGB):
        return None
    if transfer in _LIKE_SRGB:
        curve = _SRGB_CURVE
    elif transfer in _GAMMAS:
        curve = _gamma(_GAMMAS[transfer])
    elif transfer in _LIGHT:
        curve = _table(_LIGHT[transfer])
    else:
        return None
    return _profile(f"H.273 {primaries}/{transfer}", space, curve)


def of_chromaticities(primaries: Primaries, gamma: float) -> bytes | None:
    """Return a profile for PNG's cHRM and a display's gamma; None if that is sRGB or absurd.

    With sRGB's chromaticities, a gamma within 5 % of 2.2 means sRGB's curve.
    """
    like_srgb = abs(gamma / 2.2 - 1) < 0.05
    if like_srgb and np.allclose(primaries, SRGB, atol=0.002):
        return None
    if not 0.2 <= gamma <= 10 or not _is_triangle(primaries):
        return None
    return _profile("PNG cHRM", primaries, _gamma(gamma))


def is_for(profile: object, space: bytes) -> bool:
    """Return whether ``profile`` describes pictures of ``space``, such as b"RGB ", by its header.

    ICC.1, section 7.2; links between two devices and abstract profiles do not.
    """
    return (
        isinstance(profile, bytes)
        and len(profile) > 128
        and profile[36:40] == b"acsp"
        and profile[16:20] == space
        and profile[12:16] not in (b"link", b"abst", b"nmcl")
    )


def _profile(name: str, primaries: Primaries, curve: bytes) -> bytes:
    """Return a display profile with these primaries and one curve for all three."""
    adaptation = _adaptation(_xyz(primaries.white))
    matrix = adaptation @ _matrix(primaries)
    texts = {b"desc": _text(name), b"cprt": _text("No copyright, use freely")}
    red, green, blue = map(_points, matrix.T)
    points = {b"rXYZ": red, b"gXYZ": green, b"bXYZ": blue}
    others = {b"wtpt": _points(_D50), b"chad": b"sf32" + bytes(4) + _fixed(adaptation.ravel())}
    tags = texts | points | others | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    start = 128 + 4 + 12 * len(tags)
    table, content = [], b""
    places: dict[bytes, int] = {}  # equal values are stored once
    for tag, value in tags.items():
        if value not in places:
            places[value] = start + len(content)
            content += value + bytes(-len(value) % 4)
        table.append(struct.pack(">4s2I", tag, places[value], len(value)))
    body = struct.pack(">I", len(tags)) + b"".join(table) + content
    head = struct.pack(">I4xI4s4s4s", 128 + len(body), 0x04300000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + _fixed(_D50)
    return head.ljust(128, b"\0") + body


def _matrix(primaries: Primaries) -> NDArray[np.float64]:
    """Return the matrix from linear RGB to XYZ under the primaries' own white."""
    columns = np.array([_xyz(point) for point in primaries[1:]]).T
    return columns * np.linalg.solve(columns, _xyz(primaries.white))


def _adaptation(white: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Bradford's matrix, which makes ``white`` D50 (ICC.1, annex E)."""
    scale = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    return np.linalg.solve(_BRADFORD, scale[:, None] * _BRADFORD)


def _xyz(point: _Point) -> NDArray[np.float64]:
    x, y = point
    return np.array([x / y, 1, (1 - x - y) / y])


def _is_triangle(primaries: Primaries) -> bool:
    """Return whether these points are colors that span a space with their white inside."""
    if any(not 0 < y <= 1 or not 0 <= x <= 1 for x, y in primaries):
        return False
    columns = np.array([_xyz(point) for point in primaries[1:]]).T
    if abs(np.linalg.det(columns)) < 1e-4:
        return False
    return bool((np.linalg.solve(columns, _xyz(primaries.white)) > 0).all())


def _gamma(gamma: float) -> bytes:
    return struct.pack(">4s4xIH", b"curv", 1, round(256 * gamma))


def _table(light: Callable[[NDArray], NDArray]) -> bytes:
    values = np.rint(65535 * light(np.linspace(0, 1, 4096)).clip(0, 1)).astype(">u2")
    return struct.pack(">4s4xI", b"curv", len(values)) + values.tobytes()


def _pq(signal: NDArray) -> NDArray:
    """Return the light of a PQ signal, 1 for 203 cd/m² (BT.2100, table 4)."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = signal ** (1 / m2)
    return 10_000 / 203 * ((power - c1).clip(0) / (c2 - c3 * power)) ** (1 / m1)


def _hlg(signal: NDArray) -> NDArray:
    """Return the light of an HLG signal on a screen of 1000 cd/m², 1 for 203 (BT.2100, table 5)."""
    a, b = 0.17883277, 0.28466892
    c = 0.5 - a * math.log(4 * a)
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return 1000 / 203 * scene**1.2


def _toned_down(light: NDArray) -> NDArray:
    """Return light from 0 to 1: as it is up to 0.75, and all that is brighter squeezed above.

    White of ordinary pictures, 203 cd/m² (BT.2408), becomes 0.91, which looks white.
    """
    return np.where(light <= 0.75, light, 1 - 0.25 * np.exp(3 - 4 * light.clip(0.75)))


_LIGHT: Mapping[int, Callable[[NDArray], NDArray]] = {
    PQ: lambda signal: _toned_down(_pq(signal)),
    HLG: lambda signal: _toned_down(_hlg(signal)),
}


def _text(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return struct.pack(">4s4x2I4s2I", b"mluc", 1, 12, b"enUS", len(data), 28) + data


def _points(values: NDArray) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(values)


def _fixed(values: NDArray) -> bytes:
    return np.rint(65536 * values).astype(">i4").tobytes()
