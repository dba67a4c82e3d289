"""The front end for notebooks: Google Colab, JupyterLab, Voila, and unattended runs.

Uploads are bytes in memory. Nothing is written except the results that a person asks for.
"""

from u2demo.notebook.app import OneClick
from u2demo.notebook.live import Live
from u2demo.notebook.saving import results_folder
from u2demo.notebook.uploads import upload

__all__ = ["Live", "OneClick", "results_folder", "upload"]
