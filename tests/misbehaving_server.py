"""A web server on this machine that fails in the ways in which weights downloads fail.

Each path is a fault: ``server.url("quota")`` answers as Google Drive does when a file is popular.
``server.seen`` lists what was asked for, as ``(fault, Range header)``.
"""

import email.utils
import gzip
import itertools
import os
import re
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

QUOTA_PAGE = (
    b"<html><head><title>Google Drive - Quota exceeded</title></head><body>\n"
    b'<p class="uc-error-caption">Sorry, you can\'t view or download this file at this time.</p>\n'
    b'<p class="uc-error-subcaption">Too many users have viewed or downloaded this file recently. '
    b"Please try accessing the file again later.</p>\n</body></html>"
)
NOISE = "\x1b]0;owned\x07\x1b[2J\x9b31m"  # what a terminal would obey


class MisbehavingServer(ThreadingHTTPServer):
    """Serves ``body`` under the name of every fault, in a thread, as long as ``with`` lasts.

    ``wrong`` has the size of ``body`` but not its bytes.
    """

    daemon_threads = True

    def __init__(self, body: bytes):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.body = body
        self.wrong = body[:-1] + bytes([body[-1] ^ 1])
        self.seen: list[tuple[str, str | None]] = []
        self.released = threading.Event()  # what "waits" waits for
        self.counter = itertools.count()

    def __enter__(self) -> "MisbehavingServer":
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.released.set()
        self.shutdown()
        super().__exit__(*error)

    def url(self, fault: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{fault}"

    def handle_error(self, request: object, address: object) -> None:
        """Say nothing about clients that hang up."""


class _Handler(BaseHTTPRequestHandler):
    server: MisbehavingServer

    def do_GET(self) -> None:
        fault = self.path.rpartition("/")[2]
        self.server.seen.append((fault, self.headers["Range"]))
        getattr(self, fault)()

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, body: bytes, status: int = 200, length: int | None = None, **headers) -> None:
        """Send an honest answer, or one that lies about its length."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in ({"Content-Type": "application/octet-stream"} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def start(self) -> int:
        """Return the first byte that a Range header asks for."""
        return int(re.sub(r"\D", "", self.headers["Range"] or "0"))

    def rest(self, body: bytes, upto: int | None = None) -> None:
        """Answer a Range request as servers should, but stop at byte ``upto``."""
        start = self.start()
        length = len(body) - start
        where = {"Content_Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
        status = 206 if self.headers["Range"] else 200
        self.answer(body[start:upto], status, length, **(where if status == 206 else {}))

    def reset(self) -> None:
        """Hang up the way a broken line does: with a TCP reset."""
        self.wfile.flush()
        time.sleep(0.1)  # or the client loses what it has not read yet
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        os.close(self.connection.detach())

    # One method per fault.

    def good(self) -> None:
        self.rest(self.server.body)

    def forbidden(self) -> None:
        self.answer(b"<html>no</html>", 403, Content_Type="text/html")

    def missing(self) -> None:
        self.answer(b"<html><title>Not found</title></html>", 404, Content_Type="text/html")

    def unavailable(self) -> None:
        self.answer(b"", 503, Retry_After="3600")

    def too_many(self) -> None:
        self.answer(b"", 429, Retry_After="86400")

    def garbage_as_gzip(self) -> None:
        self.answer(self.server.body, Content_Encoding="gzip")

    def a_part_unasked(self) -> None:
        self.answer(self.server.body[:9], 206, Content_Range=f"bytes 0-8/{len(self.server.body)}")

    def a_part_from_the_middle(self) -> None:
        self.answer(self.server.body[9:], 206, Content_Range=f"bytes 9-99/{len(self.server.body)}")

    def length_in_words(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "plenty")
        self.end_headers()
        self.wfile.write(self.server.body)

    def nothing(self) -> None:
        self.answer(b"")

    def no_content(self) -> None:
        self.send_response(204)
        self.end_headers()

    def login(self) -> None:
        self.answer(b"<html><title>Sign in</title></html>", Content_Type="text/html; charset=utf-8")

    def untyped_page(self) -> None:
        self.answer(b"<!doctype html>".ljust(len(self.server.body)))

    def quota(self) -> None:
        self.answer(QUOTA_PAGE, Content_Type="text/html; charset=utf-8")

    def on_drive(self) -> None:
        """Send the file with the header by which gdown knows that it is not a web page."""
        self.answer(self.server.body, Content_Disposition='attachment; filename="u2net.pth"')

    def truncated(self) -> None:
        self.answer(self.server.body[: len(self.server.body) // 2])

    def cut_off(self) -> None:
        self.answer(self.server.body[: len(self.server.body) // 2], length=len(self.server.body))

    def chunks_cut_off(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        half = self.server.body[: len(self.server.body) // 2]
        self.wfile.write(f"{len(half):x}\r\n".encode() + half + b"\r\n")

    def endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(1000):
            self.wfile.write(self.server.body)

    def wrong_bytes(self) -> None:
        self.answer(self.server.wrong)

    def wrong_bytes_cut_off(self) -> None:
        half = len(self.server.wrong) // 2
        self.answer(b"P" + self.server.wrong[1:half][::-1], length=len(self.server.wrong))

    def compressed(self) -> None:
        self.answer(gzip.compress(self.server.body), Content_Encoding="gzip")

    def drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.drip_bytes(self.server.body)

    def drip_headers(self) -> None:
        self.drip_bytes(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000)

    def drip_bytes(self, content: bytes) -> None:
        for byte in content[:100]:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.05)

    def silent(self) -> None:
        self.server.released.wait(5)

    def waits(self) -> None:
        """Send half, and the rest when told to."""
        half = len(self.server.body) // 2
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body[:half])
        self.wfile.flush()
        self.server.released.wait(10)
        self.wfile.write(self.server.body[half:])

    def resets_half_way(self) -> None:
        """Break each connection after a quarter of the file, but resume."""
        end = self.start() + len(self.server.body) // 4
        self.rest(self.server.body, upto=end)
        if end < len(self.server.body):
            self.reset()

    def resets_at_once(self) -> None:
        self.reset()

    def cannot_resume(self) -> None:
        """Break the first connection half-way; ignore Range afterwards."""
        if next(self.server.counter):
            self.answer(self.server.body)
        else:
            self.cut_off()

    def resumes_elsewhere(self) -> None:
        """Break the first connection half-way; go on from another byte than asked."""
        if next(self.server.counter):
            self.answer(self.server.body[-9:], 206, Content_Range="bytes 0-8/9")
        else:
            self.cut_off()

    def range_not_satisfiable(self) -> None:
        if self.headers["Range"]:
            self.answer(b"", 416)
        else:
            self.good()

    def loop(self) -> None:
        self.answer(b"", 302, Location=f"/loop?{next(self.server.counter)}/loop")

    def redirected(self) -> None:
        self.answer(b"", 302, Location="/good")

    def redirected_with_an_endless_page(self) -> None:
        self.send_response(302)
        self.send_header("Location", "/good")
        self.end_headers()
        while not self.server.released.is_set():
            self.wfile.write(self.server.body)

    def replaced_meanwhile(self) -> None:
        """Break the first connection half-way through an older file."""
        if next(self.server.counter):
            self.good()
        else:
            half = self.server.wrong[: len(self.server.wrong) // 2]
            self.answer(half[:9] + half[9:][::-1], length=len(self.server.body))

    def of_two_versions(self) -> None:
        """Break off in an older version; then send what a correct server sends."""
        self.versions(is_correct=True)

    def of_two_versions_mixed(self) -> None:
        """The same, but the rest of the newer version is sent whatever If-Range says."""
        self.versions(is_correct=False)

    def of_one_version(self) -> None:
        """Break off half-way; resume."""
        self.versions(is_correct=True, older="2")

    def versions(self, *, is_correct: bool, older: str = "1") -> None:
        body = self.server.body
        half = len(body) // 2
        if next(self.server.counter) == 0:
            first = body if older == "2" else body[:9] + body[9:][::-1]
            self.answer(first[:half], length=len(body), ETag=f'"{older}"')
        elif self.headers["Range"] and (self.headers["If-Range"] == '"2"' or not is_correct):
            where = f"bytes {half}-{len(body) - 1}/{len(body)}"
            self.answer(body[half:], 206, Content_Range=where, ETag='"2"')
        else:
            self.answer(body, ETag='"2"')

    def busy_for_a_moment(self) -> None:
        if next(self.server.counter):
            self.good()
        else:
            self.answer(b"", 503, Retry_After="1")

    def busy_until(self) -> None:
        if next(self.server.counter):
            self.good()
        else:
            soon = email.utils.formatdate(time.time() + 2, usegmt=True)
            self.answer(b"", 429, Retry_After=soon)

    def busy_again_and_again(self) -> None:
        self.answer(b"", 503, Retry_After="0")

    def continues(self) -> None:
        while not self.server.released.is_set():
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 50)

    def trails(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"1\r\nP\r\n0\r\n")
        while not self.server.released.is_set():
            self.wfile.write(b"X-More: of it\r\n")

    def bomb(self) -> None:
        """Send 200 MB in 200 KB."""
        self.answer(gzip.compress(b"P" + bytes(200_000_000), 1), Content_Encoding="gzip")

    def bomb_in_a_bomb(self) -> None:
        inner = gzip.compress(b"P" + bytes(200_000_000), 1)
        self.answer(gzip.compress(inner), Content_Encoding="gzip, gzip")

    def lies_about_its_length(self) -> None:
        self.answer(self.server.body, length=10**15)

    def redirected_to_http(self) -> None:
        self.answer(b"", 302, Location=self.server.url("good"))

    def noisy_status(self) -> None:
        self.wfile.write(f"HTTP/1.1 500 {NOISE}\r\nContent-Length: 0\r\n\r\n".encode("latin-1"))

    def noisy_page(self) -> None:
        page = f"<html><title>{NOISE}\u202e</title>".encode()
        self.answer(page, Content_Type="text/html")

    def noisy_encoding(self) -> None:
        self.answer(self.server.body, Content_Encoding=NOISE)

    def noisy_range(self) -> None:
        self.answer(self.server.body, 206, Content_Range=f"bytes 0-8/{NOISE}")

    def noisy_redirect(self) -> None:
        self.answer(b"", 302, Location=f"gopher://{NOISE}/")

    def redirected_to_a_file(self) -> None:
        self.answer(b"", 302, Location="file:///etc/hostname")

    def redirected_nowhere(self) -> None:
        self.answer(b"", 302, Location="http://[")

    def no_http(self) -> None:
        self.wfile.write(b"\x00\x01\x02 this is no HTTP\r\n\r\n")
        self.close_connection = True
