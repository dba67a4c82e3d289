"""Voila's settings for `make app`; Voila finds this file by its name.

When a page closes, its kernel ends and its photos are gone. Pages ask no other host for anything.
"""

import os
from pathlib import Path

c = get_config()  # noqa: F821


def let_pages_say_goodbye(handler, notebook, cwd):
    """Give the page the cookie that its last request needs, which ends the kernel."""
    handler.xsrf_token  # noqa: B018  # reading it sets the cookie


c.VoilaConfiguration.prelaunch_hook = let_pages_say_goodbye
# A crashed browser does not end its kernel; culling does. An open page keeps its kernel.
c.MappingKernelManager.cull_idle_timeout = 300  # seconds
c.MappingKernelManager.cull_interval = 30
c.MappingKernelManager.cull_connected = False
# The look of the page. Voila looks for templates where Jupyter has its data.
places = [str(Path(__file__).resolve().parent / "page"), os.environ.get("JUPYTER_PATH")]
os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, places))
c.VoilaConfiguration.template = "u2demo"
OURS = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'self'"
c.Voila.tornado_settings = {"headers": {"Content-Security-Policy": OURS}}
# The badge for Colab, and how to run cells.
c.TagRemovePreprocessor.remove_cell_tags = {"notebook-only"}
