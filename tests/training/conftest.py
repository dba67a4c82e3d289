"""What tests of teaching share: a small net to begin with, and photos of discs."""

import pytest
import torch
from pupils import half_taught, look_once, open_school


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A file of the weights of a small net that is to be taught."""
    file = tmp_path_factory.mktemp("weights") / "tiny.pth"
    torch.save(half_taught(), file)
    return file


@pytest.fixture(autouse=True, scope="module")
def one_look():
    """Nets are scored by one look at each photo."""
    with pytest.MonkeyPatch.context() as patch:
        look_once(patch)
        yield


@pytest.fixture
def school(tmp_path, monkeypatch, weights):
    """Return what ``fine_tune`` needs: twelve pairs of discs, and a small net to begin with."""
    return open_school(tmp_path, monkeypatch, weights)
