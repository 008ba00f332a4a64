"""Whether a browser sends a form from one of our own pages.

Another site's page may send a form here, and on loopback no key would stop it. Browsers say where a
form comes from, and no page can leave that out or change it.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers


def same_origin(headers: Headers) -> bool:
    """Judged by `sec-fetch-site`; of browsers without it by `origin`, and of the oldest by
    `referer`. What says nothing at all is refused: it can't be told from another site's form."""
    if site := headers.get("sec-fetch-site"):
        return site == "same-origin"
    source = headers.get("origin") or headers.get("referer", "")
    return _host(source) == headers.get("host", "").lower() != ""


def _host(address: str) -> str:
    """Host and port, as `host` spells them; empty for `null` and for what is no address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return parts.netloc.rpartition("@")[2].lower() if parts.scheme in {"http", "https"} else ""
