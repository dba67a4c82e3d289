"""A stand-in for google.colab (googlecolab/colabtools 3c07d77), as far as u2demo meets it.

Like the real one it writes real files and prints what it does; ``_person`` says what the person
in front of the page answers.
"""

from google.colab import drive, errors, files, output

__all__ = ["drive", "errors", "files", "output"]
