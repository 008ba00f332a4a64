"""A site's forms, found and sent without a browser."""

from html.parser import HTMLParser
from http.client import HTTPConnection
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from tests.explorer.site import Site
from tests.support import PATIENCE_SECONDS


class Form(NamedTuple):
    """action: where it is sent to. fields: what its hidden fields hold, by name."""

    action: str
    fields: dict[str, str]


class _Forms(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(values.get("action", ""), {}))
        if tag == "input" and self.found and "name" in values:
            self.found[-1].fields[values["name"]] = values.get("value", "")


def forms(page: str, **wanted: str) -> list[Form]:
    """The forms of a page whose fields have these values."""
    found = _Forms(page).found
    return [form for form in found if wanted.items() <= form.fields.items()]


class Sent(NamedTuple):
    """An answer to a form. location: where it leads, "" for nowhere."""

    status: int
    location: str
    body: str


def send(site: Site, form: Form, headers: dict[str, str] | None = None) -> Sent:
    """Send a form as a browser does: by default as one that says that it comes from our page."""
    sent = {"content-type": "application/x-www-form-urlencoded"}
    sent |= {"sec-fetch-site": "same-origin"} if headers is None else headers
    connection = HTTPConnection("127.0.0.1", urlsplit(site.origin).port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("POST", form.action, urlencode(form.fields), sent)
        response = connection.getresponse()
        body = response.read().decode()
        return Sent(response.status, response.headers.get("location", ""), body)
    finally:
        connection.close()
