"""The command line with a net that is quick: ``python tests/quick_command.py photos -o results``.

It rests a little at each look, so that there is time to stop it.
"""

import time

from bright import Bright

from u2demo.__main__ import run
from u2demo.nets import load


class Resting(Bright):
    """A net that needs time, but not the processor's."""

    def forward(self, photos):
        time.sleep(0.1)
        return super().forward(photos)


load.load_model = lambda *_, **options: Resting()
run()
