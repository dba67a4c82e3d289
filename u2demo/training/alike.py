"""thumbnails -> which of them look alike: copies of a photo in two sizes, a burst, a slow clip."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIDE = 16  # pixels
# Correlation. A copy of half the size has .996, and of 416 photos of three data sets no two have
# more than .83; but two products of one shape, each on white, may come near.
_ALIKE = 0.98


def thumbnail(photo: Image.Image) -> bytes:
    """Return 256 gray levels, 0 to 255: what is left of a photo that is seen from afar."""
    return photo.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX).tobytes()


def group_alike(thumbnails: Mapping[str, bytes]) -> list[set[str]]:
    """Return the keys in groups: what looks like one of a group is in it.

    Small groups come first, and those of one size in the order of their keys.
    """
    keys = sorted(thumbnails)
    contrasts = _contrasts(thumbnails[key] for key in keys)
    groups = np.arange(len(keys))  # of each key: the place of the first key in its group
    for place in range(1, len(keys)):
        is_alike = contrasts[:place] @ contrasts[place] >= _ALIKE
        joined = np.append(groups[:place][is_alike], place)
        groups[np.isin(groups, joined)] = joined.min()
    members: dict[int, set[str]] = {}
    for key, group in zip(keys, groups.tolist(), strict=True):
        members.setdefault(group, set()).add(key)
    return sorted(members.values(), key=lambda group: (len(group), min(group)))


def _contrasts(thumbnails: Iterable[bytes]) -> NDArray[np.float32]:
    """Return (N, 256): the product of two is the correlation of their levels."""
    levels = np.stack([np.frombuffer(each, np.uint8) for each in thumbnails]).astype(np.float32)
    contrasts = levels - levels.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(contrasts, axis=1, keepdims=True)
    return contrasts / np.maximum(lengths, 1.0)  # a plain color is like nothing
