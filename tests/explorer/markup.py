"""What a page of ours may hold, whatever it shows: read without a browser."""

from html.parser import HTMLParser

_ADDRESSES = {"href", "src", "action", "formaction", "data", "poster", "srcset", "xlink:href"}
_FORBIDDEN = {"style", "base", "iframe", "object", "embed", "img", "plaintext", "textarea", "math"}
_OURS = {("textarea", "seeds")}
"""What of it a page of ours has: tag and id."""

_VOID = {"meta", "link", "input", "br", "hr", "col", "path", "circle", "rect", "line", "img"}


class Markup(HTMLParser):
    """Reads a page and notes what must not be there. texts: all that a reader sees, joined."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        if self._open:
            self.problems.append(f"never closed: {self._open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _FORBIDDEN and (tag, dict(attrs).get("id")) not in _OURS:
            self.problems.append(f"<{tag}>")
        if tag not in _VOID:
            self._open.append(tag)
        if tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
            self.headings.append(int(tag[1]))
        values = dict(attrs)
        if tag == "script" and not (values.get("src") or "").startswith("/static/"):
            self.problems.append(f"a script: {values}")
        for name, value in attrs:
            self._attribute(tag, name, value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self._open and self._open[-1] == tag and tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        self.text += data

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name.startswith("on") or name == "style":
            self.problems.append(f"<{tag} {name}={value!r}>")
        if name == "id":
            self.ids.append(value)
        if name in _ADDRESSES:
            self.links.append(value)
            ours = value.startswith(("/", "#")) and not value.startswith(("//", "/\\"))
            outside = tag == "a" and value.startswith(("https://", "http://"))
            if not (ours or outside):
                self.problems.append(f"<{tag} {name}={value[:100]!r}>")
            if any(character in value for character in " \n\t\\<>\"'`"):
                self.problems.append(f"<{tag} {name}> is not encoded: {value[:100]!r}")


def check(page: str) -> Markup:
    """The page, which is well-formed, harmless, and has its headings in order and ids once."""
    markup = Markup(page)
    steps = zip([0, *markup.headings], markup.headings, strict=False)
    markup.problems += [
        f"h{after} after h{before}" for before, after in steps if after > before + 1
    ]
    if markup.headings.count(1) != 1:
        markup.problems.append(f"headings: {markup.headings}")
    if len(set(markup.ids)) != len(markup.ids):
        markup.problems.append(f"an id stands twice: {sorted(markup.ids)}")
    assert not markup.problems, "\n".join(markup.problems)
    return markup
