"""url -> answer: one GET request, and a way to end it from another thread.

The answer's body is unread. Bodies of redirects are never read, whatever their length.
"""

import contextlib
import socket
import threading
from typing import TYPE_CHECKING
from urllib.parse import urljoin

if TYPE_CHECKING:
    import requests

_MOST_REDIRECTS = 10


class RedirectError(Exception):
    """A redirect that must not be followed; the text says why."""


class Line:
    """The connections of one attempt; ``hang_up`` ends them, whatever they are waiting for.

    No timeout does that: headers and trailers may drip in forever, and ``100 Continue`` may follow
    ``100 Continue``.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._handles: list[socket.socket] = []
        self._is_up = True

    def watch(self, connection: socket.socket) -> socket.socket:
        """Return ``connection``, which ``hang_up`` will end.

        Raises:
            ConnectionAbortedError: it came too late.
        """
        with self._lock:
            if not self._is_up:
                connection.close()
                raise ConnectionAbortedError("given up")
            self._handles.append(connection.dup())  # valid even after TLS has taken the other
        return connection

    def hang_up(self) -> None:
        """End all connections, those still being made included."""
        with self._lock:
            self._is_up = False
            handles, self._handles = self._handles, []
        for handle in handles:
            with contextlib.suppress(OSError):  # the other side may have ended it
                handle.shutdown(socket.SHUT_RDWR)
            handle.close()


def open_session(line: Line) -> "requests.Session":
    """Return a session whose connections ``line`` can end.

    ``requests`` has certificates on every system and respects proxies.
    """
    import requests

    class Adapter(requests.adapters.HTTPAdapter):
        def init_poolmanager(self, *args: object, **options: object) -> None:
            super().init_poolmanager(*args, **options)
            _watch_pools(self.poolmanager, line)

        def proxy_manager_for(self, *args: object, **options: object) -> object:
            manager = super().proxy_manager_for(*args, **options)
            _watch_pools(manager, line)
            return manager

    session = requests.Session()
    session.headers["User-Agent"] = "u2demo"
    session.mount("http://", Adapter())
    session.mount("https://", Adapter())
    return session


def get(
    session: "requests.Session", url: str, headers: dict[str, str], *, timeout: float
) -> "requests.Response":
    """Return the answer to a GET request, after redirects; the caller closes it.

    ``Session.get`` would read the body of each redirect to its end.

    Raises:
        RedirectError: there are too many redirects, or one leads from https to anything else.
    """
    for _ in range(_MOST_REDIRECTS + 1):
        response = _get_once(session, url, headers, timeout)
        if not response.is_redirect:
            return response
        response.close()
        target = urljoin(url, response.headers["Location"])
        if url.startswith("https:") and not target.startswith("https:"):
            raise RedirectError(f"redirects from https to something less safe: {target}")
        url = target
    raise RedirectError(f"redirected more than {_MOST_REDIRECTS} times")


def _get_once(
    session: "requests.Session", url: str, headers: dict[str, str], timeout: float
) -> "requests.Response":
    from requests import Request
    from requests.cookies import extract_cookies_to_jar

    request = session.prepare_request(Request("GET", url, headers=headers))
    settings = session.merge_environment_settings(request.url, {}, True, None, None)
    adapter = session.get_adapter(request.url)
    response = adapter.send(request, timeout=timeout, **settings)
    extract_cookies_to_jar(session.cookies, request, response.raw)
    return response


def _watch_pools(manager: object, line: Line) -> None:
    """Let a manager of urllib3 make connections that ``line`` watches."""
    kinds = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {
        scheme: _watched_pool(pool, line) for scheme, pool in kinds.items()
    }


def _watched_pool(pool: type, line: Line) -> type:
    if hasattr(pool, "is_watched"):  # a manager for a proxy is asked for again and again
        return pool

    class Connection(pool.ConnectionCls):
        def _new_conn(self) -> socket.socket:  # before TLS, which may take forever as well
            return line.watch(super()._new_conn())

    class Pool(pool):
        ConnectionCls = Connection
        is_watched = True

    return Pool
