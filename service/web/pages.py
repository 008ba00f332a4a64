"""Pages for people: a template, its values, and the headers that keep a page to itself."""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from service.web import links
from service.web.static_files import static

TEMPLATES = Path(__file__).parent / "explorer" / "templates"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors {ancestors}"
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
    "paper_url": links.paper_url,
    "url": links.url,
    "outside_url": links.outside_url,
}


def page(
    request: Request,
    template: str,
    *,
    status: int = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
    frame_ancestors: str = "'none'",
    **context: object,
) -> HTMLResponse:
    """A template of the folder as an answer. Every text in it is escaped.

    headers: more of them, such as those for caches; without, nobody keeps the page.
    frame_ancestors: who may show the page in a frame, as a source list of CSP.
    context: what the template names. `request` is there besides.
    """
    text = environment.get_template(template).render(request=request, **context)
    kept = {"cache-control": "no-store"} | (dict(headers) if headers else {})
    policy = {"content-security-policy": _POLICY.format(ancestors=frame_ancestors)}
    return HTMLResponse(text, int(status), _HEADERS | policy | kept)
