"""The file that tests publish as u2net, and the weights inside the package."""

import random
from pathlib import Path

from u2demo.nets import store

BODY = b"PK" + random.Random(4).randbytes((1 << 18) - 2)  # a whole number of chunks
PACKAGED = Path(store.__file__).parents[1] / "data" / "u2netp.pth"


def asked(server):
    """The faults that the server was asked for, in order."""
    return [fault for fault, _ in server.seen]
