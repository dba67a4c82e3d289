"""argument -> a plain number, or a sentence: is it one, and in range?"""

import math
from numbers import Integral, Real


def check_number(
    name: str, value: float, *, expected: str, least: float = 0.0, most: float = math.inf
) -> float:
    """Return ``value``, a finite number from ``least`` to ``most``, as Python's own.

    NumPy's numbers and fractions count; True and False do not. ``name`` and ``expected`` are for
    the sentence.

    Raises:
        TypeError: it is not a number.
        ValueError: it is NaN, infinite or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, Real):  # NumPy's bool is not Real
        raise TypeError(f"{name} is {value!r:.80}, expected {expected}")
    try:
        plain = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        plain = math.inf
    if not (least <= plain <= most and math.isfinite(plain)):
        raise ValueError(f"{name} is {value!s:.80}, expected {expected}")
    return plain


def are_whole_numbers(values: object, *, count: int) -> bool:
    """Return whether ``values`` is a tuple or list of ``count`` whole numbers, NumPy's among them.

    True and False are none.
    """
    if not isinstance(values, tuple | list) or len(values) != count:
        return False
    return all(isinstance(value, Integral) and not isinstance(value, bool) for value in values)
