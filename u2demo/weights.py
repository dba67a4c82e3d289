"""name -> trained net: which weights there are, and how they are loaded."""

from pathlib import Path

import torch

from u2demo.model import U2Net, build_model, fold_batch_norm

_DATA = Path(__file__).parent / "data"


def load_model(
    name: str = "u2netp", *, device: str | None = None, weights: str | Path | None = None
) -> U2Net:
    """Return a trained net, ready for inference on ``device`` (the fastest there is by default)."""
    model = build_model(name)
    state = torch.load(weights or _DATA / f"{name}.pth", map_location="cpu", weights_only=True)
    model.load_state_dict(state, strict=True)
    return fold_batch_norm(model).to(device or _best_device())


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
