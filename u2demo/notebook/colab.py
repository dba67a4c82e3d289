"""Google Colab's page <-> kernel: file and camera dialogs, downloads, and pages that converse.

Uploads are bytes in memory: nothing is written where Colab's file browser looks.
"""

import functools
import json
import tempfile
from base64 import b64decode
from collections.abc import Callable, Sequence
from pathlib import Path

import ipywidgets

from u2demo.notebook.environment import PageError
from u2demo.notebook.front_end import assets

_BY_PATH = (
    ', or open photos by path: photos = {"cat.jpg": u2.open_image("cat.jpg")}, for the one-click '
    "app with u2.notebook.OneClick().show(photos) after it"
)


def choose_files() -> dict[str, bytes]:
    """Open Colab's file dialog, wait, and return the chosen files by name; {} after a cancel.

    Colab's dialog can only write files. They go to a private folder that starts empty and is
    deleted before this returns. So names are not changed: a second upload of ``cat.jpg`` is not
    called ``cat (1).jpg``.

    Raises:
        PageError: the page does not answer, or the upload failed.
    """
    from google.colab import files

    check_page_answers(_BY_PATH)
    with tempfile.TemporaryDirectory(prefix="u2demo-") as folder:
        try:
            chosen = files.upload(target_dir=folder)
        except Exception as error:
            reason = one_line(error)
            raise PageError(f"The upload failed: {reason}. Try again.") from error
    return {Path(path).name: bytes(data) for path, data in chosen.items()}


def take_photo() -> bytes | None:
    """Open the camera in Colab's page, wait, and return a JPEG file; None after a cancel.

    Raises:
        PageError: the page does not answer, or there is no camera to use.
    """
    check_page_answers(_BY_PATH)
    url = ask(camera_script())
    return b64decode(url.partition(",")[2]) if url else None


def camera_script() -> str:
    """Return a JavaScript expression that shows the camera and becomes a data URL, or null."""
    return "(async () => {\n" + assets("elements.js", "camera.js", "camera_colab.js") + "})()"


def download(name: str, data: bytes) -> None:
    """Send ``data`` to the person's browser as a file called ``name``.

    Raises:
        PageError: the download did not start.
    """
    from google.colab import files

    path = Path(_outbox().name) / Path(name).name
    path.write_bytes(data)
    try:
        files.download(str(path))
    except Exception as error:
        raise PageError(f"The download did not start: {one_line(error)}.") from error


def ask(script: str) -> object:
    """Return what a JavaScript expression becomes in Colab's page, once it is there.

    Raises:
        PageError: the expression fails; the text is its reason.
    """
    from google.colab import output

    try:
        return output.eval_js(script)
    except Exception as error:
        raise PageError(f"{one_line(error)}.") from error


def converse(
    page: str, scripts: Sequence[str], told: dict, answer: Callable[[list[dict]], list[dict]]
) -> None:
    """Show a page, and ask it again and again what it has to say, until the person is done.

    ``scripts``, assets that use ``told``, build it, and the JavaScript object called ``page`` to
    talk with it. ``answer`` gets what it says and returns what it is told with the next question.
    Colab's kernel hears nothing else meanwhile.

    Raises:
        PageError: the page cannot go on.
    """
    from google.colab import output

    text = assets("colab_page.js", *scripts)
    try:
        ask(f"(async (told) => {{\n{text}\n}})({json.dumps(told)})")
        said = ask(f"{page}.next([])")
        while said is not None:
            said = ask(f"{page}.next({json.dumps(answer(said))})")
    finally:  # also when the cell is interrupted
        output.eval_js(f"globalThis.{page}?.end()", ignore_result=True)


def show_dialogs_in(output: ipywidgets.Output, task: Callable[[], object]) -> object:
    """Return what ``task`` returns, showing the dialogs that it opens in ``output``.

    An error is raised here, because ``with output`` would swallow it.
    """
    output.clear_output()
    answer, problem = None, None
    with output:
        try:
            answer = task()
        except Exception as error:
            problem = error
    if problem:
        raise problem
    return answer


def one_line(error: Exception) -> str:
    """Return what the error says in one line, without JavaScript's "Error: " or a final period."""
    text = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    return text.splitlines()[0].removeprefix("Error: ").rstrip(".")


def check_page_answers(otherwise: str = "") -> None:
    """Raise ``PageError`` if no page is there to answer; it says what to do ``otherwise``."""
    from google.colab import output

    # Colab's dialogs wait forever where no page answers: in VS Code and in unattended runs.
    if output.eval_js("1", timeout_sec=3) is None:
        raise PageError(
            "This page does not answer Colab's dialogs (VS Code's Colab extension does not). Open "
            f"the notebook in the browser at colab.research.google.com{otherwise}."
        )


@functools.cache
def _outbox() -> tempfile.TemporaryDirectory:
    # files.download returns before the browser has read the file, so the folder is kept.
    return tempfile.TemporaryDirectory(prefix="u2demo-")
