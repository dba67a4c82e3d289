"""kernel -> where it runs: Google Colab, JupyterLab, Voila, or an unattended run."""

import os

import IPython

ENVIRONMENTS = ("colab", "jupyter", "voila", "headless")


class PageError(Exception):
    """The page could not do what a person asked for; the text says why and what to do."""


def environment() -> str:
    """Return where this runs, one of ``ENVIRONMENTS``; "headless" means that nobody can answer.

    The environment variable ``U2DEMO_ENV`` overrides what is found.

    Raises:
        ValueError: ``U2DEMO_ENV`` is set to something else.
    """
    forced = os.environ.get("U2DEMO_ENV")
    if forced and forced not in ENVIRONMENTS:
        raise ValueError(f"U2DEMO_ENV is {forced!r}; choose from {', '.join(ENVIRONMENTS)}")
    if forced:
        return forced
    shell = IPython.get_ipython()
    if type(shell).__module__.startswith("google.colab"):
        return "colab"
    if os.environ.get("SERVER_SOFTWARE", "").startswith("voila"):
        return "voila"
    # JupyterLab lets a cell ask for input; nbval, nbclient and nbconvert do not.
    kernel = getattr(shell, "kernel", None)
    return "jupyter" if getattr(kernel, "_allow_stdin", False) else "headless"
