"""``python -m u2demo``: the command line, installed as ``u2demo``."""

import sys

from u2demo.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
