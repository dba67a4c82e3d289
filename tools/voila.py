"""Voila's settings for `make app`; Voila finds this file by its name.

When a page closes, its kernel ends and its photos are gone. Pages ask no other host for anything.
"""

c = get_config()  # noqa: F821


def let_pages_say_goodbye(handler, notebook, cwd):
    """Give the page the cookie that its last request needs, which ends the kernel."""
    handler.xsrf_token  # noqa: B018  # reading it sets the cookie


c.VoilaConfiguration.prelaunch_hook = let_pages_say_goodbye
# A crashed browser does not end its kernel; culling does. An open page keeps its kernel.
c.MappingKernelManager.cull_idle_timeout = 300  # seconds
c.MappingKernelManager.cull_interval = 30
c.MappingKernelManager.cull_connected = False
# Voila's template links to icons on a CDN, which nothing here uses.
OURS = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'self'"
c.Voila.tornado_settings = {"headers": {"Content-Security-Policy": OURS}}
# The badge for Colab, and how to run cells.
c.TagRemovePreprocessor.remove_cell_tags = {"notebook-only"}
