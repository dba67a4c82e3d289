"""A file that is not a state dict of the right shapes is refused with its name and the reason."""

import pickle
import re
from pathlib import Path

import pytest
import torch
from published import PACKAGED

from u2demo.nets.architectures import build_model
from u2demo.nets.checkpoints import WeightsError
from u2demo.nets.load import load_model


class RunsCode:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_would_run_code_is_refused_in_a_sentence(zipped, tmp_path):
    path, trace = tmp_path / "evil.pth", tmp_path / "trace"
    state = build_model("u2netp").state_dict() | {"stage7": RunsCode(trace)}
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match=r"is refused: reading it would run code \(\S+\)") as no:
        load_model(weights=path)
    assert no.value.__context__ is None and not trace.exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>quota</html>", "is a web page"),
        (b"", "is damaged"),
        (b"PK\x03\x04", "is damaged"),
        (b"\x80\x02", "is damaged"),
        (PACKAGED.read_bytes()[:99_999], "is damaged"),
        (pickle.dumps({"a": 1}, protocol=2), "is damaged"),
    ],
    ids=["page", "empty", "zip", "pickle", "half", "no torch"],
)
def test_a_file_that_is_not_a_checkpoint_is_refused_without_a_pickle_traceback(
    content, reason, tmp_path
):
    path = tmp_path / "my.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=reason) as refused:
        load_model(weights=path)
    assert refused.value.__context__ is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([1, 2], "holds a list, expected a state dict"),
        ({}, "holds a dict"),
        ({"epoch": 3, "state_dict": {}}, "holds 'epoch', which is not a tensor"),
    ],
)
def test_a_checkpoint_of_another_kind_is_refused(content, reason, tmp_path):
    torch.save(content, tmp_path / "my.pth")
    with pytest.raises(WeightsError, match=re.escape(reason)):
        load_model(weights=tmp_path / "my.pth")


KEY = "stage2.rebnconvin.conv_s1.weight"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: s.pop(KEY), f"does not fit u2netp (1 mismatch): {KEY} is missing"),
        (lambda s: s.update(extra=s[KEY]), "extra is unknown"),
        (lambda s: s.update({KEY: s[KEY][:1]}), f"{KEY} is (1, 64, 3, 3) instead of (64, 64,"),
        (lambda s: s.update({KEY: s[KEY].half()}), f"{KEY} is torch.float16 instead of"),
        (lambda s: s.update({KEY: s[KEY] * float("nan")}), f"{KEY} holds NaN or infinity"),
        (lambda s: s.update({KEY: s[KEY] / 0}), f"{KEY} holds NaN or infinity"),
    ],
)
def test_a_key_that_does_not_fit_is_named(change, reason, tmp_path):
    state = build_model("u2netp").state_dict()
    change(state)
    torch.save(state, tmp_path / "my.pth")
    with pytest.raises(WeightsError, match=re.escape(reason)):
        load_model(weights=tmp_path / "my.pth")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"there is no weights file .*my\.pth"):
        load_model(weights=tmp_path / "my.pth")
