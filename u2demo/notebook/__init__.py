"""The front end for notebooks: Google Colab, JupyterLab, Voila, and runs with nobody to click.

Uploads are bytes in memory. Nothing is written but the results a person asks for.
"""

from u2demo.notebook.app import OneClick
from u2demo.notebook.saving import results_folder
from u2demo.notebook.uploads import upload

__all__ = ["OneClick", "results_folder", "upload"]
