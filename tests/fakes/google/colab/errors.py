"""As google/colab/errors.py."""


class Error(Exception):
    """Base of Colab's errors."""
