"""moto's S3 server on this machine, which fails as a busy store does: now and then, in turn."""

import itertools
import threading
import time

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

BUSY = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)


class FaultyS3:
    """An S3 server in a thread, as long as ``with`` lasts.

    ``faults`` are the names of what goes wrong, one after another: at every ``each``-th request.
    """

    def __init__(self):
        self.faults, self.each = [], 3
        self.down = None  # what stands in the paths of requests that always fail
        self.seen = []  # (method, path, fault)
        self._requests = itertools.count(1)
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()

    def _answer(self, request, start):
        is_hit = self.faults and next(self._requests) % self.each == 0
        fault = self.faults.pop(0) if is_hit else ""
        if self.down and self.down in request["PATH_INFO"]:
            fault = "busy"
        self.seen.append((request["REQUEST_METHOD"], request["PATH_INFO"], fault))
        return getattr(self, fault or "_honest")(request, start)

    def _honest(self, request, start):
        return self._moto(request, start)

    def busy(self, request, start):
        request["wsgi.input"].read(int(request.get("CONTENT_LENGTH") or 0))
        start("503 Slow Down", [("Content-Type", "application/xml")])
        return [BUSY]

    def broken(self, request, start):
        """Send half of the answer, then hang up."""
        body = b"".join(self._moto(request, start))
        return [body[: len(body) // 2]]

    def lost(self, request, start):
        """Do what is asked for, but say that it went wrong."""
        list(self._moto(request, lambda *_: None))
        start("500 Internal Server Error", [("Content-Type", "application/xml")])
        return [BUSY.replace(b"SlowDown", b"InternalError")]

    def slow(self, request, start):
        time.sleep(5)
        return self._moto(request, start)
