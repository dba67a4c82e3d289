"""(net, photo) -> line drawing of a face, and back into the photo.

For the weights u2net_portrait, which the authors trained on APDrawingGAN's pairs of photos and
pen drawings at 512x512. Steps and numbers are those of u2net_portrait_demo.py and
u2net_portrait_composite.py (github.com/xuebinqin/U-2-Net), except that colors are normalized as in
training and in u2net_portrait_test.py; the demo script swaps red's numbers with blue's.
"""

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from u2demo.images.rgb import as_rgb, only_profile
from u2demo.inference.predict import predict_raw
from u2demo.masks.box import Box

if TYPE_CHECKING:
    from torch.nn import Module

SIDE = 512  # pixels of the square the net was trained on
_DETECTION_SIDE = 800  # pixels; faces are looked for in a photo no larger than this


def draw_portrait(model: "Module", image: Image.Image, *, face: Box | None = None) -> Image.Image:
    """Return a line drawing of the largest face: mode L, 512x512, black on white.

    ``face`` says where it is when ``find_face`` does not. It draws best when the head is about 512
    pixels wide or more, in front of a plain background.
    """
    return draw_lines(model, frame_portrait(image, face=face))


def draw_lines(model: "Module", image: Image.Image) -> Image.Image:
    """Return a line drawing of the whole photo, in mode L and of its size.

    The net sees the photo squeezed to 512x512. Its map is inverted and stretched to the full
    range, as it tells where lines are; where it is flat, the paper stays white.
    """
    lines = predict_raw(model, image, side=SIDE)
    low, high = lines.min(), lines.max()
    ink = (lines - low) / (high - low) if high > low else np.zeros_like(lines)
    drawing = Image.fromarray(np.rint(255 * (1 - ink)).astype(np.uint8))
    return drawing.resize(image.size, Image.Resampling.BICUBIC)


def blend_drawing(
    image: Image.Image, drawing: Image.Image, *, sigma: float = 20.0, alpha: float = 0.5
) -> Image.Image:
    """Return the blurred photo under its drawing, RGB: ``alpha`` photo, 1 - ``alpha`` drawing.

    ``drawing`` has the photo's size and is made with ``draw_lines``. ``sigma`` is the standard
    deviation of the Gaussian blur, in pixels.
    """
    if drawing.size != image.size:
        raise ValueError(
            f"the drawing is {drawing.width}x{drawing.height} but the photo is "
            f"{image.width}x{image.height}; draw this very photo with draw_lines"
        )
    if not 0 <= alpha <= 1 or sigma < 0:
        raise ValueError(f"alpha is {alpha} and sigma {sigma}; expected 0 to 1, and 0 or more")
    colors = as_rgb(image).filter(ImageFilter.GaussianBlur(sigma))
    blend = Image.blend(as_rgb(drawing), colors, alpha)
    blend.info = only_profile(image)
    return blend


def frame_portrait(image: Image.Image, *, face: Box | None = None) -> Image.Image:
    """Return the face with hair and collar: RGB, 512x512, white where the photo ends.

    Without a face, or without a detector, it is the center square, and a warning says so.
    """
    face = face or find_face(image)
    square = _around(face) if face else _center_square(image)
    side = square.right - square.left
    frame = Image.new("RGB", (side, side), "white")
    frame.paste(as_rgb(image), (-square.left, -square.top))
    resampling = Image.Resampling.BOX if side > SIDE else Image.Resampling.BICUBIC
    return frame.resize((SIDE, SIDE), resampling)


def find_face(image: Image.Image) -> Box | None:
    """Return the largest face that looks into the camera, None if none is found.

    Uses the cascade that comes with OpenCV 4, or else scikit-image's. A warning says why there is
    None: no face, or neither package.
    """
    small = as_rgb(image).convert("L")
    small.thumbnail((_DETECTION_SIDE, _DETECTION_SIDE), reducing_gap=2.0)
    scale = image.width / small.width
    for detect in (_faces_of_opencv, _faces_of_skimage):
        try:
            faces = list(detect(np.asarray(small)))
        except (ImportError, AttributeError):  # OpenCV 5 has no cascades any more
            continue
        if faces:
            largest = max(faces, key=lambda face: face.right - face.left)
            return Box(*(round(scale * edge) for edge in largest))
        reason = "no face was found"
        break
    else:
        reason = "no face is looked for without opencv-python-headless<5 or scikit-image"
    with warnings.catch_warnings():  # or else Python says it of the first photo only
        warnings.warn(f"{reason}; portraits take the center of the photo", stacklevel=2)
    return None


def _faces_of_opencv(gray: np.ndarray) -> Iterator[Box]:
    import cv2

    detector = cv2.CascadeClassifier(f"{cv2.data.haarcascades}haarcascade_frontalface_default.xml")
    for left, top, width, height in detector.detectMultiScale(gray, 1.1, 4):
        yield Box(left, top, left + width, top + height)


def _faces_of_skimage(gray: np.ndarray) -> Iterator[Box]:
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    detector = Cascade(lbp_frontal_face_cascade_filename())
    largest = min(gray.shape)
    smallest = max(24, largest // 10)
    sizes = {"min_size": (smallest, smallest), "max_size": (largest, largest)}
    for face in detector.detect_multi_scale(gray, scale_factor=1.1, step_ratio=1, **sizes):
        yield Box(face["c"], face["r"], face["c"] + face["width"], face["r"] + face["height"])


def _around(face: Box) -> Box:
    """Return the square around a face: 0.4 of its width aside, 0.6 of its height above, 0.2 below.

    It may reach beyond the photo.
    """
    width, height = face.right - face.left, face.bottom - face.top
    left, right = face.left - int(0.4 * width), face.right + int(0.4 * width)
    top, bottom = face.top - int(0.6 * height), face.bottom + int(0.2 * height)
    spare = (bottom - top) - (right - left)
    if spare > 0:
        left, right = left - spare // 2, right + spare - spare // 2
    else:
        top, bottom = top + spare // 2, bottom - spare + spare // 2
    return Box(left, top, right, bottom)


def _center_square(image: Image.Image) -> Box:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return Box(left, top, left + side, top + side)
