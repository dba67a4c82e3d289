"""argument -> nothing, or a sentence: is it a number, and in range?"""

import math
from numbers import Real

import numpy as np


def check_number(
    name: str, value: float, *, expected: str, least: float = 0.0, most: float = math.inf
) -> None:
    """Raise an error unless ``value`` is a finite number from ``least`` to ``most``.

    NumPy's numbers count; True and False do not. ``name`` and ``expected`` are for the sentence.

    Raises:
        TypeError: it is not a number.
        ValueError: it is NaN, infinite or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, Real):  # NumPy's bool is not Real
        raise TypeError(f"{name} is {value!r:.80}, expected {expected}")
    plain = value.item() if isinstance(value, np.generic) else value  # float16 ends at 65,504
    if not (least <= plain <= most and -math.inf < plain < math.inf):
        raise ValueError(f"{name} is {value}, expected {expected}")
