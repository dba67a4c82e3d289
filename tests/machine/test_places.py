"""What a store holds is read and written whole, whatever the store does on the way."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import fsspec
import pytest

from u2demo.machine import attempts, places
from u2demo.machine.attempts import StoreError
from u2demo.machine.places import (
    check_url,
    delete,
    folders_below,
    is_url,
    join,
    name_of,
    read_bytes,
    stored,
    write_bytes,
    write_new_bytes,
)


@pytest.fixture
def store(memory_store):
    """The URL of an empty store in memory; attempts follow each other at once."""
    return "memory://box"


def failing(monkeypatch, name, *errors):
    """Let the next calls of a method of the store in memory raise these errors."""
    kind = fsspec.get_filesystem_class("memory")
    method, left = getattr(kind, name), list(errors)

    def fail(self, *values, **named):
        if left:
            raise left.pop(0)
        return method(self, *values, **named)

    monkeypatch.setattr(kind, name, fail)
    return left


@pytest.mark.parametrize("text", ["s3://bucket/photos", "https://a.org/b.jpg", "memory://x"])
def test_a_url_is_told_from_a_path(text):
    assert is_url(text)


@pytest.mark.parametrize("text", ["photos", "C:\\photos", "c://photos", "/a://b", "", None, 3])
def test_a_path_is_no_url(text):
    assert not is_url(text)


def test_what_was_written_is_read_and_listed_with_its_size(store):
    write_bytes(join(store, "pets/cat.jpg"), b"meow")
    write_bytes(join(store, "dog.jpg"), b"wuff!")
    write_bytes(join(store, "pets/a b #?%.jpg"), b"odd")

    listed = [one for folder in folders_below(store) for one in folder]
    assert [(one.url, one.size) for one in listed] == [
        ("memory://box/dog.jpg", 5),
        ("memory://box/pets/a b #?%.jpg", 3),
        ("memory://box/pets/cat.jpg", 4),
    ]
    assert [read_bytes(one.url, one.size) for one in listed] == [b"wuff!", b"odd", b"meow"]
    assert stored(join(store, "dog.jpg")) == listed[0]


def test_nothing_is_below_a_folder_that_is_not_there(store):
    assert [one for folder in folders_below(join(store, "none")) for one in folder] == []


def test_a_prefix_of_names_is_not_a_file(store):
    write_bytes(join(store, "pets/cat.jpg"), b"meow")
    assert stored(join(store, "pets")) is None
    assert stored(join(store, "pets/dog.jpg")) is None


def test_another_content_has_another_tag(store):
    url = join(store, "cat.jpg")
    write_bytes(url, b"meow")
    before = stored(url)
    write_bytes(url, b"MEOW")
    assert stored(url).tag != before.tag


def test_what_is_there_is_never_replaced_by_something_new(store):
    url = join(store, "cat.png")
    write_bytes(url, b"yours")
    with pytest.raises(FileExistsError):
        write_new_bytes(url, b"mine")
    assert read_bytes(url) == b"yours"


def test_a_write_whose_answer_was_lost_is_known_by_what_it_left(store, monkeypatch):
    url = join(store, "cat.png")
    kind = fsspec.get_filesystem_class("memory")
    write = kind.pipe_file

    def lose(self, path, value, **named):
        monkeypatch.setattr(kind, "pipe_file", write)
        write(self, path, value)
        raise TimeoutError("no answer")

    monkeypatch.setattr(kind, "pipe_file", lose)
    write_new_bytes(url, b"mine")
    assert read_bytes(url) == b"mine"


def test_deleting_twice_is_no_error(store):
    write_bytes(join(store, "cat.jpg"), b"meow")
    delete(join(store, "cat.jpg"))
    delete(join(store, "cat.jpg"))
    assert stored(join(store, "cat.jpg")) is None


@pytest.mark.parametrize("error", [TimeoutError("slow"), OSError(16, "Slow Down"), EOFError("cut")])
def test_an_error_that_may_pass_is_tried_again(store, monkeypatch, error):
    write_bytes(join(store, "cat.jpg"), b"meow")
    left = failing(monkeypatch, "cat_file", error, error)
    assert read_bytes(join(store, "cat.jpg")) == b"meow"
    assert not left


def test_an_error_that_stays_is_told_with_the_url_and_the_attempts(store, monkeypatch):
    write_bytes(join(store, "cat.jpg"), b"meow")
    failing(monkeypatch, "cat_file", *[OSError("too busy")] * 9)
    with pytest.raises(StoreError, match=r"memory://box/cat\.jpg: .*too busy \(4 attempts in 0 s"):
        read_bytes(join(store, "cat.jpg"))


@pytest.mark.parametrize(
    ("error", "told"),
    [(FileNotFoundError("no key"), "not found"), (PermissionError("Denied"), "credentials")],
)
def test_what_does_not_pass_is_not_tried_again(store, monkeypatch, error, told):
    left = failing(monkeypatch, "cat_file", error, TimeoutError("a second attempt"))
    with pytest.raises(StoreError, match=told):
        read_bytes(join(store, "cat.jpg"))
    assert len(left) == 1


def test_a_bucket_that_is_not_there_is_told_with_the_url(store, monkeypatch):
    failing(monkeypatch, "pipe_file", FileNotFoundError("The bucket does not exist"))
    with pytest.raises(FileNotFoundError, match=r"memory://box/cat\.jpg: The bucket does not"):
        write_bytes(join(store, "cat.jpg"), b"meow")


def test_a_body_that_comes_short_is_read_again(store, monkeypatch):
    write_bytes(join(store, "cat.jpg"), b"meow")
    kind = fsspec.get_filesystem_class("memory")
    read, bodies = kind.cat_file, [b"me", b"m"]
    monkeypatch.setattr(
        kind, "cat_file", lambda self, path: bodies.pop() if bodies else read(self, path)
    )
    assert read_bytes(join(store, "cat.jpg"), 4) == b"meow"
    assert not bodies


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("s3://bucket/a/cat.jpg", "cat.jpg"),
        ("s3://bucket/what?.jpg", "what?.jpg"),
        ("https://a.org/b/my%20cat.jpg?size=2#top", "my cat.jpg"),
    ],
)
def test_the_name_of_a_url_is_that_of_its_file(url, name):
    assert name_of(url) == name


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("file:///photos/cat.jpg", "write its path instead"),
        ("nonsense://a/b", "not a kind of URL"),
        ("https://a.org/results", "a web server takes no pictures"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_with_a_sentence(url, told):
    with pytest.raises(ValueError, match=told):
        check_url(url, to_write=True)


def test_a_package_that_is_missing_is_named(monkeypatch):
    def missing(protocol):
        raise ImportError("Please install gcsfs to access Google Storage")

    monkeypatch.setattr(fsspec, "get_filesystem_class", missing)
    with pytest.raises(ModuleNotFoundError, match=r"gs://a/b needs a package: .*gcsfs"):
        check_url("gs://a/b")


class _Web(BaseHTTPRequestHandler):
    """Answers with the numbers in ``server.answers`` first, then with a photo."""

    def do_GET(self):
        self._answer(b"photo")

    def do_HEAD(self):
        self._answer(b"photo")

    def _answer(self, body):
        status = self.server.answers.pop(0) if self.server.answers else 200
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"abc"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def web(monkeypatch):
    """A web server, and the numbers with which it answers at first."""
    pytest.importorskip("aiohttp")
    monkeypatch.setattr(attempts, "PAUSES", (0, 0, 0))
    with ThreadingHTTPServer(("127.0.0.1", 0), _Web) as server:
        server.answers = []
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def test_a_web_server_that_is_busy_is_asked_again(web):
    url = f"http://127.0.0.1:{web.server_port}/cat.jpg"
    web.answers[:] = [503, 503, 429]
    assert read_bytes(url) == b"photo"
    web.answers[:] = [503, 503]
    assert (stored(url).size, stored(url).tag) == (5, "abc")


def test_a_web_server_that_says_nothing_is_asked_three_times(monkeypatch):
    pytest.importorskip("aiohttp")
    monkeypatch.setattr(attempts, "PAUSES", (0,) * 5)
    monkeypatch.setattr(places, "_LONGEST", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it accepts, and that is all
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/cat.jpg"
        for ask in (stored, read_bytes):
            with pytest.raises(StoreError, match=r"no answer in time \(3 attempts in \d+ s\)"):
                ask(url)


def test_what_a_web_server_does_not_have_is_not_asked_for_again(web):
    url = f"http://127.0.0.1:{web.server_port}/cat.jpg"
    web.answers[:] = [404, 500]
    with pytest.raises(StoreError, match="not found"):
        read_bytes(url)
    assert web.answers == [500]
