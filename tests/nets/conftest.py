"""Fixtures: a machine without weights, and a server that publishes some."""

import dataclasses
import hashlib
import tempfile

import pytest
import requests
from misbehaving_server import MisbehavingServer
from published import BODY

from u2demo.nets.architectures import build_model
from u2demo.nets.checkpoints import CHECKPOINTS


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A private cache folder and temporary folder; no proxy between us and 127.0.0.1."""
    for variable in ("U2DEMO_OFFLINE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("U2DEMO_HOME", str(tmp_path / "home"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "home"


@pytest.fixture
def server():
    with MisbehavingServer(BODY) as server:
        yield server


@pytest.fixture
def publish(server, monkeypatch):
    """Publish ``server.body`` as u2net at sources with these faults."""

    def publish(*faults, **changes):
        published = {
            "bytes": len(server.body),
            "sha256": hashlib.sha256(server.body).hexdigest(),
            "sources": tuple(server.url(fault) for fault in faults),
        }
        record = dataclasses.replace(CHECKPOINTS["u2net"], **(published | changes))
        monkeypatch.setitem(CHECKPOINTS, "u2net", record)
        return record

    return publish


@pytest.fixture
def https(server, monkeypatch):
    """Let the test server stand in for https://weights.example, with a fault as the path."""
    send = requests.adapters.HTTPAdapter.send

    def redirect(adapter, request, **options):
        request.url = request.url.replace("https://weights.example/", server.url(""))
        return send(adapter, request, **options)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", redirect)
    return "https://weights.example/{}".format


@pytest.fixture
def state():
    """The state dict of an untrained small net."""
    return build_model("u2netp").state_dict()
