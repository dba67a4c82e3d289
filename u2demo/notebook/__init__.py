"""The front end for notebooks: Google Colab, JupyterLab, Voila, and unattended runs.

``OneClick``, ``Clips``, ``Live`` and ``Teach`` are pages, which ``show`` opens; ``upload``,
``results_folder`` and ``show_with_sliders`` are for cells of your own.

Uploaded photos are bytes in memory. Uploaded clips, and clips that are made, are temporary files
that no file browser shows. Nothing else is written but the results that a person asks for.
"""

from u2demo.notebook.app import OneClick
from u2demo.notebook.clips.app import Clips
from u2demo.notebook.live.app import Live
from u2demo.notebook.saving import results_folder
from u2demo.notebook.sliders import show_with_sliders
from u2demo.notebook.teaching.app import Teach
from u2demo.notebook.uploads import upload

__all__ = ["Clips", "Live", "OneClick", "Teach", "results_folder", "show_with_sliders", "upload"]
