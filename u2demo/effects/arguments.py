"""argument -> a color, or a sentence."""

from PIL import ImageColor

from u2demo.machine.numbers import are_whole_numbers

_EXPECTED = "a name such as 'teal', '#3c78ff', or three whole numbers from 0 to 255"


def as_color(name: str, color: object) -> tuple[int, int, int]:
    """Return a color as red, green and blue from 0 to 255; ``name`` is the argument's.

    Raises:
        TypeError: it is neither text nor three numbers.
        ValueError: its name is unknown, it is see-through, or a number is not from 0 to 255.
    """
    sentence = f"{name} is {color!r:.80}, expected {_EXPECTED}"
    if isinstance(color, str):
        try:
            red, green, blue, alpha = (*ImageColor.getrgb(color), 255)[:4]
        except ValueError:
            raise ValueError(sentence) from None
        if alpha < 255:
            raise ValueError(f"{name} is {color!r:.80}, expected a solid color such as '#3c78ff'")
        return red, green, blue
    if not are_whole_numbers(color, count=3):
        raise TypeError(sentence)
    if not all(0 <= value <= 255 for value in color):
        raise ValueError(sentence)
    red, green, blue = map(int, color)
    return red, green, blue
