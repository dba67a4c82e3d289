"""error, page -> phrase: why a source did not give its file."""

import http.client
import re
import socket


def explain(error: BaseException) -> str:
    """Return in one line what happened."""
    from requests.exceptions import ProxyError

    chain = [error]
    while cause := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(cause)
    if _innermost(chain, ProxyError):
        return "the proxy of this machine does not answer; check HTTP_PROXY and HTTPS_PROXY"
    if _innermost(chain, socket.gaierror):
        return "the host was not found; is this machine online?"
    # The errors of requests are OSErrors as well, but not the system's.
    system = _innermost([each for each in chain if not hasattr(each, "request")], OSError)
    if system:
        return in_one_line(system.strerror or str(system)) or type(system).__name__
    broken = _innermost(chain, http.client.HTTPException)
    if broken:
        return f"its answer is not valid HTTP ({type(broken).__name__})"
    return in_one_line(str(error)) or type(error).__name__


def _innermost(chain: list[BaseException], kind: type) -> BaseException | None:
    """Return the last error of this kind, None if there is none."""
    found = [error for error in chain if isinstance(error, kind)]
    return found[-1] if found else None


def in_one_line(text: str) -> str:
    """Return ``text`` without line breaks, and not too long."""
    return " ".join(text.split())[:200]


def glimpse(page: bytes) -> str:
    """Return the title of a web page, or the first characters of anything else, in quotes."""
    text = page.decode("utf-8", "replace")
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.S | re.I)
    quote = " ".join((title[1] if title else text[:60]).split())[:80]
    return '"' + "".join(c for c in quote if c.isprintable() and c != "\ufffd") + '"'
