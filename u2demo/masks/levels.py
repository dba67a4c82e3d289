"""map | mask -> mask: which values become 0, which become 1, and what lies between."""

from dataclasses import dataclass
from typing import TypeVar

# At or below the first value a pixel is surely background, at or above the second surely subject.
SURE_BACKGROUND, SURE_SUBJECT = 0.02, 0.98
# A pixel with this share of its subject's value is solid: a soft edge or a hole would be lower.
SOLID = 0.9

Values = TypeVar("Values")  # a NumPy array or a PyTorch tensor; only common methods are used


@dataclass(frozen=True)
class Levels:
    """The value that becomes 0 and the one that becomes 1; between them lies a straight line.

    Results below ``haze`` are faded out, see ``apply``. ``Levels()`` changes nothing.

    Raises:
        ValueError: ``black`` is not below ``white``.
    """

    black: float = 0.0
    white: float = 1.0
    haze: float = 0.0

    def __post_init__(self):
        if not self.black < self.white:
            raise ValueError(f"black is {self.black}, expected less than white, {self.white}")

    def apply(self, values: Values, *, certainty: float = 1.0) -> Values:
        """Return values with these levels, of the same shape and type, from 0 to 1.

        Values up to ``SURE_BACKGROUND`` become 0: a veil that nobody sees in a mask shows as a gray
        film over a new background. ``certainty``, from 0 to 1, says how surely the net found a
        subject; the surer, the more of the haze around it is removed.
        """
        if self == Levels():
            return values
        values = ((values - self.black) / (self.white - self.black)).clip(0, 1)
        if self.haze:
            values = values * (values / self.haze).clip(max=1) ** (certainty**4 / 2)
        return values * (values > SURE_BACKGROUND)

    def below(self, solid: float) -> "Levels":
        """Return the levels that remain to be applied after ``Levels(0, solid)``."""
        return Levels(self.black / solid, self.white / solid, self.haze)
