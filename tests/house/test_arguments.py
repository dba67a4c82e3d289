"""Careless arguments: whatever comes, each public function does right or says what it expected."""

import inspect
import io
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from bright import Bright
from PIL import Image

import u2demo as u2
from u2demo.masks.corrections import Corrections
from u2demo.pipeline import Result

PIXELS = np.random.default_rng(0).integers(0, 40, (20, 30, 3), np.uint8)
PIXELS[4:12, 5:20] += 200  # so clear that one look is enough
PHOTO = Image.fromarray(PIXELS)
MASK = np.zeros((20, 30), np.float32)
MASK[4:12, 5:20] = 1
MASK[4:12, 20] = 0.4
MASK.setflags(write=False)
FILE = io.BytesIO()
PHOTO.save(FILE, "PNG")
NET = Bright().eval()
RESULT = Result("cat.jpg", PHOTO, MASK, {"mask": PHOTO})

NAN, INF = float("nan"), float("inf")
NUMBERS = [
    None, True, False, np.True_, "", "5", "nan", b"5", 5j, [], [1], (), {}, object, Decimal("0.5"),
    NAN, INF, -INF, np.float32(NAN), np.float64(INF), -1, -0.0, 0, 0.5, 1, 3.7, 255, 10**400,
    -(10**400), 1e308, 1e-320, 5e-324, 0.9999999999999999, Fraction(1, 2), np.float16(0.5),
    np.float32(0.5), np.int64(1), np.uint8(1), np.array(0.5), np.zeros(0), np.zeros(3), PHOTO,
]  # fmt: skip
TEXTS = [
    None,
    True,
    3,
    NAN,
    "",
    "no such thing",
    "\0",
    "\x1b[2J",
    "a" * 10**5,
    b"png",
    [],
    {},
    PHOTO,
]
COLORS = [
    *NUMBERS, "bleu", "#12", "#12345g", "#ff0000", "#ff000080", "rgb(300, 0, 0)",
    "hsl(0, 100%, 50%)",
    (-1, 0, 999), (0, 0), (1, 2, 3), (1, 2, 3, 4), (0.5, 0, 0), (NAN, 0, 0), ("1", "2", "3"),
    [1, 2, 3], np.array([1, 2, 3]), (np.uint8(9),) * 3, (True, True, True), (None,) * 3,
]  # fmt: skip
IMAGES = [
    None, "cat.jpg", 3, MASK, np.asarray(PHOTO), [], Image, Image.new("RGB", (0, 0)),
    Image.new("RGB", (30, 0)), Image.new("L", (30, 20)), Image.new("1", (30, 20)),
    Image.new("P", (30, 20)), Image.new("RGBA", (30, 20)), Image.new("CMYK", (30, 20)),
    Image.new("F", (30, 20), NAN), Image.new("I;16", (30, 20)), Image.new("RGB", (1, 1)),
]  # fmt: skip
MASKS = [
    None, 3, "mask", PHOTO, MASK.tolist(), MASK > 0, MASK.astype(np.float64), MASK.astype(object),
    MASK.astype(">f4"), MASK[..., None], MASK[0], MASK.T, MASK[:, ::-1], np.asfortranarray(MASK),
    np.zeros((0, 0), np.float32), np.zeros((0, 30), np.float32), np.float32(1), MASK + 1, MASK - 1,
    MASK * np.float32(NAN), MASK - np.float32(INF), np.full((20, 30), 1.0005, np.float32),
    np.ma.array(MASK), MASK.view(np.matrix), torch.from_numpy(MASK.copy()),
    np.ones((2, 2), np.float32),
]  # fmt: skip
PATHS = [
    None,
    True,
    3,
    0.5,
    b"x",
    "",
    "\0",
    "no such folder/x",
    "a" * 5000,
    "\ud800",
    [],
    {},
    PHOTO,
]
NETS = [
    None,
    "u2netp",
    3,
    object(),
    torch.nn.Identity,
    torch.nn.Identity(),
    torch.nn.Conv2d(3, 1, 1),
]
SERIES = [None, 3, "cat", PHOTO, {"cat": PHOTO}, [PHOTO], ["cat"], [("cat",)], [(None, PHOTO)],
          [("cat", None)], [("cat", "cat.jpg")], [None], [3], iter([])]  # fmt: skip
EFFECTS = [None, "mask", 3, [], ["mask"], {1: abs}, {None: abs}, {"": abs}, {"a/b": abs},
           {"x": None},
           {"x": "mask"}, {"x": lambda image, mask: None}]  # fmt: skip
TITLES = [None, 3, "cat", [], {}, [PHOTO], {None: PHOTO}, {3: PHOTO}, {"": PHOTO}, {"a": None},
          {"a": "cat"}, {"a": np.zeros((0, 0), np.float32)}, {"a": np.zeros(3)},
          {"a" * 9999: PHOTO},
          {"$x^": MASK}, {"a": Image.new("RGB", (0, 5))}]  # fmt: skip
FACES = [3, "face", [], (), (1, 2), (NAN,) * 4, (0, 0, 0, 0), (5, 5, 2, 2), (0, 0, 10**9, 10**9),
         (-50, 0, 10, 10), (0.5, 0, 10, 10), (True, True, 9, 9), u2.Box(2, 2, 12, 12)]  # fmt: skip
SIZES = [(2, 3), [2, 3], (0, 3), (2, -1), (2.5, 3), (NAN, 3), (2, 3, 4), ("2", "3"), (True, 2),
         (10**9, 2), (np.int64(2), 3), (None, None), "2x3", np.ones(2)]  # fmt: skip
STROKES = [None, 3, "strokes", PHOTO, {}, [None], [3], [(1, 2)], u2.Stroke([(9, 9)], 2),
           *([u2.Stroke([(9, 9)], radius)] for radius in NUMBERS),
           *([u2.Stroke([(number, 9)], 2)] for number in NUMBERS),
           *([u2.Stroke([(9, 9)], 2, keep)] for keep in (None, 1, "yes", NAN)),
           *([u2.Stroke(points, 2)] for points in (None, 3, "ab", [], [3], [(1, 2, 3)], [PHOTO])),
           *([u2.Stroke(points, 2)] for points in (np.ones((2, 2)), np.ones(3), {}))]  # fmt: skip
CORRECTIONS = [3, "cat", [], {}, {"cat": None}, {"cat": 3}, {"cat": Corrections((9, 9, 0, 0))},
               {"cat": Corrections(objects=None)}, {"cat": Corrections(objects=((9, 9),))},
               *({"cat": Corrections(strokes=strokes)} for strokes in STROKES)]  # fmt: skip
ONE_OF = {"image": (PHOTO, IMAGES), "mask": (MASK, MASKS)}

# Each public function: what it is given, and what comes in place of each argument.
TABLE = {
    "adjust_mask": {
        "mask": ONE_OF["mask"],
        "threshold": (0.5, NUMBERS),
        "softness": (0, NUMBERS),
        "fill_holes": (0.1, NUMBERS),
        "drop_specks": (0.1, NUMBERS),
        "grow": (1, NUMBERS),
        "feather": (1, NUMBERS),
    },
    "blur_background": ONE_OF | {"radius": (1, [x for x in NUMBERS if x is not None])},
    "bounding_box": {"mask": ONE_OF["mask"], "threshold": (0.5, NUMBERS)},
    "correct_mask": ONE_OF | {"model": (NET, NETS), "strokes": ([u2.Stroke([(9, 9)], 2)], STROKES)},
    "crop": ONE_OF | {"margin": (0, NUMBERS), "threshold": (0.5, NUMBERS)},
    "draw_box": ONE_OF
    | {"threshold": (0.5, NUMBERS), "width": (1, NUMBERS), "color": ("red", COLORS)},
    "highlight": ONE_OF | {"color": ("red", COLORS), "strength": (0.5, NUMBERS)},
    "image_row": {"pictures": ({"a": PHOTO}, TITLES), "height": (1, NUMBERS)},
    "load_model": {"name": ("u2netp", TEXTS), "device": ("cpu", TEXTS), "weights": (None, PATHS)},
    "open_image": {"source": (FILE, PATHS), "max_pixels": (None, NUMBERS)},
    "open_video": {"path": (".", PATHS)},
    "predict_mask": {
        "model": (NET, NETS),
        "image": ONE_OF["image"],
        "quality": ("fast", TEXTS),
        "within": (None, FACES),
    },
    "fine_tune": {
        "photos": ("photos", PATHS),
        "masks": ("photos", PATHS),
        "model": ("u2netp", TEXTS),
        "weights": (None, PATHS[1:]),
        "steps": (1, [number for number in NUMBERS if number is not None]),
        "results": ("mine.pth", PATHS),
        "keep": (None, PATHS[1:]),
        "rate": (1e-4, NUMBERS),
        "batch": (1, [number for number in NUMBERS if number is not None]),
        "side": (32, [number for number in NUMBERS if number is not None]),
        "seed": (0, NUMBERS),
        "device": ("cpu", TEXTS),
        "report": (None, [3, "report", PHOTO]),
    },
    "process": {
        "model": (NET, NETS),
        "photos": ([("cat", PHOTO)], SERIES),
        "effects": (None, EFFECTS),
        "quality": ("fast", TEXTS),
        "corrections": (None, CORRECTIONS),
    },
    "process_folder": {
        "model": (NET, NETS),
        "folder": (".", PATHS),
        "results": (".", PATHS),
        "effects": (None, EFFECTS),
        "quality": ("fast", TEXTS),
        "format": ("auto", TEXTS),
        "metadata": ("private", TEXTS),
    },
    "process_video": {
        "model": (NET, NETS),
        "clip": ("clip.gif", PATHS),
        "results": (".", PATHS),
        "effects": (None, EFFECTS),
        "quality": ("fast", TEXTS),
        "format": ("auto", TEXTS),
        "metadata": ("private", TEXTS),
    },
    "refine_mask": ONE_OF,
    "remove_background": ONE_OF,
    "replace_background": ONE_OF | {"background": ("red", [*COLORS, *IMAGES])},
    "sample_images": {},
    "save": {
        "result": (RESULT, [None, "cat", 3, [RESULT], iter([RESULT]), PHOTO]),
        "folder": (".", PATHS),
        "format": ("auto", TEXTS),
        "metadata": ("private", TEXTS),
        "quality": (None, NUMBERS),
    },
    "split_objects": {"mask": ONE_OF["mask"], "threshold": (0.5, NUMBERS)},
    "place_on_canvas": {
        "cutout": ONE_OF["image"],
        "size": ((20, 20), [None, *SIZES, *NUMBERS]),
        "margin": (0.1, NUMBERS),
        "background": ("red", [*COLORS, *IMAGES]),
        "shadow": (0.1, NUMBERS),
    },
    "portrait.blend_drawing": {
        "image": ONE_OF["image"],
        "drawing": ONE_OF["image"],
        "sigma": (1, NUMBERS),
        "alpha": (0.5, NUMBERS),
    },
    "portrait.draw_lines": {"model": (NET, NETS), "image": ONE_OF["image"]},
    "portrait.frame_portrait": {"image": ONE_OF["image"], "face": (u2.Box(2, 2, 12, 12), FACES)},
}
CASES = [(name, argument) for name, arguments in TABLE.items() for argument in arguments]
RAW = (
    "object",
    "not supported",
    "argument must",
    "ufunc",
    "attribute",
    "bytes-like",
    "expected str",
)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("name", "argument"), CASES)
def test_a_careless_argument_is_right_or_answered_with_a_sentence(
    name, argument, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    if "clip" in TABLE[name]:
        PHOTO.save("clip.gif", save_all=True, append_images=[PHOTO.rotate(180)], duration=100)
    function = u2
    for part in name.split("."):
        function = getattr(function, part)
    usual = {key: value for key, (value, _) in TABLE[name].items()}
    for value in TABLE[name][argument][1]:
        try:
            answer = function(**usual | {argument: value})
            if inspect.isgenerator(answer):
                list(answer)
        except (TypeError, ValueError, OSError) as error:
            text = str(error)
            has_said = "expected" in text.replace("expected str", "")
            assert has_said or not any(word in text for word in RAW), f"{value!r:.60}: {text}"


def test_the_table_has_every_public_function():
    public = {name for name in u2.__all__ if inspect.isfunction(getattr(u2, name))}
    assert public == {name for name in TABLE if "." not in name}


def test_masks_of_any_layout_give_the_same():
    usual = u2.remove_background(PHOTO, MASK).tobytes()
    for mask in (np.asfortranarray(MASK), MASK.copy(), np.repeat(MASK, 2, 0)[::2]):
        assert u2.remove_background(PHOTO, mask).tobytes() == usual
        assert u2.bounding_box(mask) == u2.bounding_box(MASK)
        np.testing.assert_array_equal(u2.adjust_mask(mask, grow=1), u2.adjust_mask(MASK, grow=1))
