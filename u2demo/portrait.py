"""(net, photo) -> line drawing of a face, alone or blended with the photo.

For the weights u2net_portrait, which the authors trained on APDrawingGAN's pairs of photos and
pen drawings at 512x512. Steps and numbers are those of u2net_portrait_demo.py and
u2net_portrait_composite.py (github.com/xuebinqin/U-2-Net), except that colors are normalized as in
training and in u2net_portrait_test.py; the demo script swaps the numbers of red and blue.
"""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from u2demo.images.rgb import as_rgb, check_image, shared_info
from u2demo.inference.predict import predict_raw
from u2demo.machine.numbers import check_number
from u2demo.masks.box import Box, check_box

if TYPE_CHECKING:
    from torch.nn import Module

SIDE = 512  # pixels of the square the net was trained on
_DETECTION_SIDE = 800  # pixels; faces are looked for in a copy no larger than this

_Detector = Callable[[np.ndarray], list[Box]]  # (H, W) uint8 gray -> faces


def draw_portrait(model: "Module", image: Image.Image, *, face: Box | None = None) -> Image.Image:
    """Return a line drawing of the largest face: mode L, 512x512, black on white.

    ``face`` says where it is; by default ``find_face`` looks for it. Drawings are best when the
    head is at least about 512 pixels wide, in front of a plain background.
    """
    return draw_lines(model, frame_portrait(image, face=face))


def draw_lines(model: "Module", image: Image.Image) -> Image.Image:
    """Return a line drawing of the whole photo: mode L, the size of ``image``.

    The net sees the photo squeezed to 512x512. Its map, high where lines are, is stretched to the
    full range and inverted; a flat map leaves the paper white.
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

    ``drawing`` is what ``draw_lines`` made of the photo. ``sigma`` is the standard deviation of
    the Gaussian blur, in pixels.

    Raises:
        ValueError: ``drawing`` has another size, ``alpha`` is not from 0 to 1, or ``sigma`` is
            negative or not finite.
    """
    check_image(image)
    check_image(drawing)
    if drawing.size != image.size:
        raise ValueError(
            f"the drawing is {drawing.width}x{drawing.height} but the photo is "
            f"{image.width}x{image.height}; expected what draw_lines makes of this photo"
        )
    alpha = check_number("alpha", alpha, expected="0 (only lines) to 1 (only the photo)", most=1.0)
    sigma = check_number("sigma", sigma, expected="0 or more pixels, and finite")
    blur = ImageFilter.GaussianBlur(min(sigma, max(image.size)))
    colors = as_rgb(image).filter(blur)
    blend = Image.blend(as_rgb(drawing), colors, alpha)
    blend.info = shared_info(image)
    return blend


def frame_portrait(image: Image.Image, *, face: Box | None = None) -> Image.Image:
    """Return the face from the hair to the chin: RGB, 512x512, white beyond the photo's border.

    Without a face, or without a detector, it is the center square, and a warning says why.

    Raises:
        ValueError: ``face`` is empty or not within the photo.
        TypeError: ``face`` is not a ``Box``.
    """
    check_image(image)
    if face is None:
        face = find_face(image)
    else:
        check_box("face", face, image.size)
    square = _around(Box(*face)) if face else _center_square(image)
    side = square.width
    frame = Image.new("RGB", (side, side), "white")
    frame.paste(as_rgb(image), (-square.left, -square.top))
    resampling = Image.Resampling.BOX if side > SIDE else Image.Resampling.BICUBIC
    framed = frame.resize((SIDE, SIDE), resampling)
    framed.info = shared_info(image)
    return framed


def find_face(image: Image.Image) -> Box | None:
    """Return the largest face that looks into the camera, in pixels of ``image``, or None.

    Uses the cascade that comes with OpenCV 4, or else scikit-image's. Where it returns None, a
    warning says why: there is no face, or neither package is installed.
    """
    detect = _first_detector()
    if detect is None:
        _warn("finding faces needs opencv-python-headless<5 or scikit-image")
        return None
    small = as_rgb(image).convert("L")
    small.thumbnail((_DETECTION_SIDE, _DETECTION_SIDE), reducing_gap=2.0)
    faces = detect(np.asarray(small))
    if not faces:
        _warn("no face was found")
        return None
    largest = max(faces, key=lambda face: face.width)
    scale = image.width / small.width
    left, top, right, bottom = (round(scale * edge) for edge in largest)
    return Box(left, top, min(right, image.width), min(bottom, image.height))


def _warn(reason: str) -> None:
    warnings.warn(f"{reason}; portraits take the center of the photo", stacklevel=3)


def _first_detector() -> _Detector | None:
    """Return the detector of the first package installed, None if neither is."""
    for detector in (_detector_of_opencv, _detector_of_skimage):
        try:
            return detector()
        except (ImportError, AttributeError):  # OpenCV 5 no longer has cascades
            continue
    return None


def _detector_of_opencv() -> _Detector:
    import cv2  # optional

    file = f"{cv2.data.haarcascades}haarcascade_frontalface_default.xml"
    cascade = cv2.CascadeClassifier(file)

    def detect(gray: np.ndarray) -> list[Box]:
        found = cascade.detectMultiScale(gray, 1.1, 4)
        return [Box(left, top, left + width, top + height) for left, top, width, height in found]

    return detect


def _detector_of_skimage() -> _Detector:
    from skimage.data import lbp_frontal_face_cascade_filename  # optional
    from skimage.feature import Cascade

    cascade = Cascade(lbp_frontal_face_cascade_filename())

    def detect(gray: np.ndarray) -> list[Box]:
        largest = min(gray.shape)
        smallest = max(24, largest // 10)
        found = cascade.detect_multi_scale(
            gray,
            scale_factor=1.1,
            step_ratio=1,
            min_size=(smallest, smallest),
            max_size=(largest, largest),
        )
        return [
            Box(face["c"], face["r"], face["c"] + face["width"], face["r"] + face["height"])
            for face in found
        ]

    return detect


def _around(face: Box) -> Box:
    """Return the square around a face, which may extend beyond the photo.

    It adds 0.4 of the face's width on each side, 0.6 of its height above and 0.2 below.
    """
    width, height = face.size
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
