"""Is PyAV there, by which clips are read and written, and is it new enough?"""

OLDEST = (17, 1)  # 17.0 crashes on FLV; before that, much is missing


def check_pyav(purpose: str) -> None:
    """Raise unless PyAV can be used; ``purpose`` begins the sentence that says what to install.

    Raises:
        ModuleNotFoundError: it is missing, or too old.
    """
    try:
        import av  # optional; may be installed later
    except ImportError:
        raise ModuleNotFoundError(f"{purpose}: pip install av", name="av") from None
    major, minor, *_ = av.__version__.split(".")
    if (int(major), int(minor)) < OLDEST:
        raise ModuleNotFoundError(
            f"{purpose}: PyAV {av.__version__} is too old: pip install --upgrade av", name="av"
        )
