"""JupyterLab's settings for `make lab`, which names this folder in JUPYTER_CONFIG_PATH."""

from pathlib import Path

c = get_config()  # noqa: F821

# Copies that Jupyter makes of files that are opened, which are photos, too: not beside them.
COPIES = str(Path(__file__).resolve().parents[2] / ".venv" / "checkpoints")
c.FileCheckpoints.checkpoint_dir = COPIES
c.AsyncFileCheckpoints.checkpoint_dir = COPIES


def leave_out_the_machine(model, **others):
    """Save a notebook without what it says of this computer's Python.

    JupyterLab adds that when a notebook is opened, and saves: git would see a change.
    """
    if model["type"] != "notebook":
        return
    metadata = model["content"]["metadata"]
    metadata.get("kernelspec", {}).pop("language", None)
    if "language_info" in metadata:
        metadata["language_info"] = {"name": metadata["language_info"]["name"]}


c.ContentsManager.pre_save_hook = leave_out_the_machine
