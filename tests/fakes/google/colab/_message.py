"""As google/colab/_message.py."""

from google.colab import errors


class MessageError(errors.Error):
    """Thrown on error response from the page."""
