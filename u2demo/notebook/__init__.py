"""The front end for notebooks: Google Colab, JupyterLab, Voila, and runs that nobody watches.

Uploads are bytes in memory. Nothing is written but the results a person asks for.
"""

from u2demo.notebook.app import OneClick
from u2demo.notebook.intake import upload

__all__ = ["OneClick", "upload"]
