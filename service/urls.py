"""The addresses of pages: any id, any text."""

from urllib.parse import quote, urlencode

from models.identifiers import canonical


def paper_url(paper_id: str, room: str = "papers") -> str:
    """The page of a paper, whatever its id holds: `/papers/10.1145/123`.

    Slashes stay readable, unless a browser or a proxy would take them for something else.
    """
    if paper_id in {"", ".", ".."}:  # no spelling of these survives in a path
        return url(f"/{room}", id=paper_id)
    plain = all(part not in {"", ".", ".."} for part in paper_id.split("/"))
    return f"/{room}/{quote(paper_id, safe='/:@,;' if plain else ':@,;')}"


def url(path: str, **parameters: object) -> str:
    """A path with its query; a list gives its parameter several times, None and "" none at all."""
    pairs = [
        (name, str(value))
        for name, values in parameters.items()
        for value in (values if isinstance(values, list | tuple) else [values])
        if value not in {None, ""}
    ]
    return f"{path}{'&' if '?' in path else '?'}{urlencode(pairs)}" if pairs else path


def outside_url(paper_id: str) -> str | None:
    """Where the paper itself is, if its id says so: at doi.org, at arXiv, or at that address.

    Nothing but http and https: an id is anybody's text.
    """
    kind, _, name = canonical(paper_id).partition(":")
    if kind == "doi":
        return "https://doi.org/" + quote(name, safe="/")
    if kind == "arxiv":
        return "https://arxiv.org/abs/" + quote(name, safe="/")
    return paper_id if paper_id.lower().startswith(("http://", "https://")) else None
