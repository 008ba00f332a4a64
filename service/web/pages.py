"""Pages for people: a template, its values, and the headers that keep a page to itself."""

import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from service import urls
from service.web.explorer.text import fold
from service.web.static_files import static

TEMPLATES = Path(__file__).parent / "explorer" / "templates"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-src {frames}; frame-ancestors 'none'"
)

_HEADERS = {
    "x-content-type-options": "nosniff",
    # Forms need the origin of the page they come from; other sites need not know where one was.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}

environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.globals |= {
    "static": static,
    "paper_url": urls.paper_url,
    "url": urls.url,
    "outside_url": urls.outside_url,
    "fold": fold,
}


def page(
    request: Request,
    template: str,
    *,
    status: int = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
    kept_seconds: int = 0,
    frames: str = "'none'",
    **context: object,
) -> HTMLResponse:
    """A template of the folder as an answer. Every text in it is escaped.

    headers: more of them.
    kept_seconds: how long anybody's cache may keep it, in whole seconds, before it asks with its
        ETag whether the page has changed. 0: it shows something of a reader, and nobody keeps it.
    frames: what the page may show in a frame, as a source list of CSP.
    context: what the template names. `request` is there besides.
    """
    content = environment.get_template(template).render(request=request, **context).encode()
    policy = {"content-security-policy": _POLICY.format(frames=frames)}
    caching = {"cache-control": "no-store"}
    if kept_seconds:
        # Weak: the same page may leave compressed or not.
        tag = f'W/"{hashlib.sha256(content).hexdigest()[:20]}"'
        caching = {"cache-control": f"public, max-age={kept_seconds}", "etag": tag}
    return HTMLResponse(content, int(status), _HEADERS | policy | caching | dict(headers or {}))
