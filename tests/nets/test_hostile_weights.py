"""Harmful checkpoints are refused, with file and reason, before they can do any harm."""

import io
import struct
import tarfile
import warnings
import zipfile

import pytest
import torch
from bright import Bright
from PIL import Image

from u2demo.inference.predict import predict_mask
from u2demo.nets import read
from u2demo.nets.checkpoints import WeightsError
from u2demo.nets.load import load_model

KEY = "stage2.rebnconvin.conv_s1.weight"


def refusal(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(WeightsError) as refused:
            load_model(weights=path, device="cpu")
    assert isinstance(refused.value, ValueError)
    assert refused.value.__context__ is None or refused.value.__suppress_context__
    assert str(refused.value).startswith(str(path))
    return str(refused.value).removeprefix(str(path))


@pytest.mark.filterwarnings("ignore:.*:UserWarning", "ignore:.*:DeprecationWarning")
@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda value: value.to("meta"), "holds more than plain tensors"),
        (lambda value: value.to_sparse(), "holds more than plain tensors"),
        (
            lambda value: torch.quantize_per_tensor(value, 0.1, 0, torch.qint8),
            "holds more than plain tensors",
        ),
        (lambda value: value.double(), "is torch.float64 instead of torch.float32"),
        (lambda value: value.int(), "is torch.int32 instead of torch.float32"),
        (lambda value: value.to(torch.complex64), "is torch.complex64 instead of"),
        (lambda value: torch.zeros(1).expand(10**6, 10**6), "is (1000000, 1000000) instead of"),
    ],
    ids=["meta", "sparse", "quantized", "double", "int", "complex", "trillion"],
)
def test_anything_but_a_float32_tensor_is_refused(change, reason, zipped, state, tmp_path):
    state[KEY] = change(state[KEY])
    torch.save(state, tmp_path / "my.pth", _use_new_zipfile_serialization=zipped)
    assert reason in refusal(tmp_path / "my.pth")


def test_variances_below_zero_are_refused(state, tmp_path):
    state["stage1.rebnconvin.bn_s1.running_var"] -= 9
    torch.save(state, tmp_path / "my.pth")
    assert "stage1.rebnconvin.bn_s1.running_var holds negative variances" in refusal(
        tmp_path / "my.pth"
    )


@pytest.mark.parametrize("factor", [1e10, 1e37])
def test_weights_too_large_to_compute_with_are_refused(state, tmp_path, factor):
    huge = {
        key: value * factor if value.is_floating_point() else value for key, value in state.items()
    }
    torch.save(huge, tmp_path / "my.pth")
    assert "its weights are damaged" in refusal(tmp_path / "my.pth")


def test_a_net_whose_answer_is_not_a_number_gives_no_mask():
    net = Bright()
    net.gain.data.fill_(torch.nan)
    with pytest.raises(ValueError, match="its weights are damaged"):
        predict_mask(net, Image.effect_noise((32, 32), 90).convert("RGB"))


def repacked(state, path, *, compression=zipfile.ZIP_STORED, edit=lambda name, data: data):
    """Save ``state``, each file of the archive changed by ``edit``."""
    plain = io.BytesIO()
    torch.save(state, plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", compression) as target:
        for name in source.namelist():
            target.writestr(name, edit(name, source.read(name)))
    return path


def test_a_zip_bomb_is_refused_before_it_is_unpacked(state, tmp_path):
    path = repacked(
        state,
        tmp_path / "my.pth",
        compression=zipfile.ZIP_DEFLATED,
        edit=lambda name, data: data + bytes(2**24) if name.endswith("data.pkl") else data,
    )
    assert "is compressed" in refusal(path)


def test_a_zip_that_shows_the_same_bytes_twice_is_refused(state, tmp_path):
    path = repacked(state, tmp_path / "my.pth")
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\1\2")
    struct.pack_into("<II", content, entry + 20, 2**31, 2**31)  # compressed and plain size
    path.write_bytes(content)
    assert "more than its own size" in refusal(path)


def test_a_zip_whose_directory_points_before_the_file_is_refused(state, tmp_path):
    path = repacked(state, tmp_path / "my.pth")
    content = bytearray(path.read_bytes())
    (place,) = struct.unpack_from("<I", content, len(content) - 6)  # of the directory
    struct.pack_into("<I", content, len(content) - 6, place + 10)
    path.write_bytes(content)
    assert "is damaged" in refusal(path)


@pytest.mark.parametrize("kept", [0, 4])
def test_tensors_that_claim_more_than_the_file_holds_are_refused(kept, state, tmp_path):
    def edit(name, data):
        return data[:kept] if "/data/" in name else data

    assert "is damaged" in refusal(repacked(state, tmp_path / "my.pth", edit=edit))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x80\x02cbuiltins\nbytearray\n\x8a\x05" + struct.pack("<q", 10**10)[:5] + b"\x85R.",
         "would run code (builtins.bytearray)"),
        (b"\x80\x02ctorch.storage\nUntypedStorage\nJ\xff\xff\xff\x7f\x85R.", "would run code"),
        (b"\x80\x02X" + struct.pack("<I", 2**32 - 1), "is damaged"),
        (b"\x80\x04\x8d" + struct.pack("<Q", 2**40), "is damaged"),
        (b"\x80\x02S'\\z'\n.", "is damaged"),
        (b"\x80\x02" + b"]" * 1_100_000, "never ends"),
    ],
    ids=["bytearray", "storage", "long string", "longer string", "odd escape", "deep"],
)  # fmt: skip
def test_a_few_bytes_that_ask_for_much_memory_are_refused(content, reason, tmp_path):
    (tmp_path / "my.pth").write_bytes(content)
    assert reason in refusal(tmp_path / "my.pth")


def test_a_huge_file_is_refused_without_reading_it(tmp_path):
    with (tmp_path / "my.pth").open("wb") as file:
        file.truncate(read.LARGEST + 1)  # takes no room on most disks
    assert "more than any net here" in refusal(tmp_path / "my.pth")


def test_a_legacy_tar_is_refused(tmp_path):
    with tarfile.open(tmp_path / "my.pth", "w") as archive:
        for name in ("sys_info", "pickle", "tensors", "storages"):
            archive.addfile(tarfile.TarInfo(name))
    assert "is damaged" in refusal(tmp_path / "my.pth")


def test_a_torchscript_program_is_refused_without_a_warning(state, tmp_path):
    torch.save(state, tmp_path / "plain.pth")
    path = repacked(state, tmp_path / "my.pth")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("archive/constants.pkl", b"")
    assert "is a TorchScript program" in refusal(path)


def test_names_inside_a_file_cannot_flood_or_drive_the_terminal(state, tmp_path):
    state["\x1b[2J\n" + "k" * 10**6] = torch.zeros(1)
    torch.save(state, tmp_path / "my.pth")
    message = refusal(tmp_path / "my.pth")
    assert message.isprintable() and len(message) < 500


@pytest.mark.parametrize("zipped", [True, False])
def test_tied_expanded_and_trainable_tensors_are_weights_like_any_other(zipped, state, tmp_path):
    state[KEY] = torch.nn.Parameter(torch.ones(1).expand(state[KEY].shape))
    torch.save(state, tmp_path / "my.pth", _use_new_zipfile_serialization=zipped)
    assert load_model(weights=tmp_path / "my.pth", device="cpu")
