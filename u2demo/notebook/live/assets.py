"""What the live page is made of: its scripts and styles by name, and its sample's photos."""

from u2demo.images.read import sample_images
from u2demo.notebook.preview import encode, fit

SCRIPTS = (
    "elements.js",
    "camera.js",
    "accessibility.js",
    "live_view.js",
    "live_sources.js",
    "live_picture.js",
    "live_timing.js",
    "live_messages.js",
    "live_recording.js",
    "live_taken.js",
    "live.js",
)
STYLES = ("app.css", "live.css")
_LARGEST = (960, 640)  # pixels, (width, height)


def sample_pictures() -> list[bytes]:
    """Return the packaged photos as the page shows them, each an encoded picture."""
    return [encode(fit(photo, _LARGEST)) for photo in sample_images().values()]
