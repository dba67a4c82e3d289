"""error, page -> phrase: why a source did not give its file."""

import http.client
import re
import socket


def explain(error: BaseException) -> str:
    """Return in one line what happened."""
    chain = [error]
    while cause := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(cause)
    for find, sentence in _SENTENCES:
        found = find(chain)
        if found is not None:
            text = getattr(found, "strerror", None) or str(found)
            kind = type(found).__name__
            return sentence.format(kind=kind, text=in_one_line(text) or kind)
    return in_one_line(str(error)) or type(error).__name__


def _proxy_error(chain: list[BaseException]) -> BaseException | None:
    import requests

    return _last(chain, requests.exceptions.ProxyError)


def _unknown_host(chain: list[BaseException]) -> BaseException | None:
    return _last(chain, socket.gaierror)


def _system_error(chain: list[BaseException]) -> BaseException | None:
    # The errors of requests are OSErrors as well, but not the system's.
    return _last([error for error in chain if not hasattr(error, "request")], OSError)


def _broken_http(chain: list[BaseException]) -> BaseException | None:
    return _last(chain, http.client.HTTPException)


def _last(chain: list[BaseException], kind: type) -> BaseException | None:
    """Return the innermost error of this kind, None if there is none."""
    found = [error for error in chain if isinstance(error, kind)]
    return found[-1] if found else None


# How to find the error that explains a failed attempt, and the sentence for it; the first match
# counts.
_SENTENCES = (
    (
        _proxy_error,
        "the proxy of this machine does not answer; check HTTP_PROXY and HTTPS_PROXY",
    ),
    (_unknown_host, "the host was not found; is this machine online?"),
    (_system_error, "{text}"),
    (_broken_http, "its answer is not valid HTTP ({kind})"),
)


def in_one_line(text: str) -> str:
    """Return ``text`` without line breaks, and not too long."""
    return " ".join(text.split())[:200]


def glimpse(page: bytes) -> str:
    """Return the title of a web page, or the first characters of anything else, in quotes."""
    text = page.decode("utf-8", "replace")
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.S | re.I)
    quote = " ".join((title[1] if title else text[:60]).split())[:80]
    return '"' + "".join(c for c in quote if c.isprintable() and c != "\ufffd") + '"'
