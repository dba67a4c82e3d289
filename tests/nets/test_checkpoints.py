"""The table of trained weights."""

import re

from u2demo.nets import download
from u2demo.nets.architectures import ARCHITECTURES
from u2demo.nets.checkpoints import CHECKPOINTS


def test_every_checkpoint_says_where_it_comes_from():
    for name, record in CHECKPOINTS.items():
        assert name == record.name and record.architecture in ARCHITECTURES
        assert record.origin.startswith("https://") and "Apache-2.0" in record.license
        assert record.sha256 is None or re.fullmatch("[0-9a-f]{64}", record.sha256)
        assert all(url.startswith("https://") for url in record.sources)


def test_google_drive_comes_last():
    for record in CHECKPOINTS.values():
        on_drive = [url.startswith(download.DRIVE) for url in record.sources]
        assert on_drive == sorted(on_drive)
