"""What mails hold: both parts, the headers, the bytes; and what nobody can make them hold."""

import re
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.digest.excerpts import cut, names, sentences
from service.digest.links import Links
from service.digest.mail import (
    MAX_BYTES,
    MAX_ENTRIES,
    Entry,
    already_mail,
    confirmation_mail,
    digest_mail,
)
from service.digest.mime import POLICY, size
from tests.digest import samples
from tests.digest.samples import AT_MS, CLEAN, SENDER

ONCE = {
    *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"),
    *("Auto-Submitted", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"),
}


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Links:
    return samples.links(tmp_path_factory.mktemp("keys"))


def digest(links: Links, *entries: Entry, address: str = "ada+papers@example.org") -> EmailMessage:
    subscription = samples.subscription(links, address)
    return digest_mail(subscription, samples.issue(*entries), links, SENDER, AT_MS)


def read(message: EmailMessage) -> EmailMessage:
    """The mail as another program reads it from its bytes, of which every rule is checked."""
    octets = message.as_bytes()
    assert len(octets) <= size(message) <= MAX_BYTES
    assert octets.isascii()
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", octets)
    head, _, body = octets.partition(b"\r\n\r\n")
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(map(len, re.findall(rb"^(?:Subject:|[ ]).*", head, re.MULTILINE))) <= 78
    assert not re.search(rb"[^\t\r\n -~]", octets)
    # A relay that reads it and writes it again changes nothing: so a signature holds.
    assert message_from_bytes(octets, policy=POLICY).as_bytes() == octets
    found = message_from_bytes(octets, policy=policy.default)
    assert isinstance(found, EmailMessage)
    for part in found.walk():
        assert not part.defects
        assert not any(getattr(value, "defects", ()) for value in part.values())
    return found


def parts(message: EmailMessage) -> tuple[str, str]:
    """The text and the HTML."""
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert isinstance(text, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    return text.get_content(), html.get_content()


class Tags(HTMLParser):
    """Every element of a page with its attributes, its text, and whether all of it is closed."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def links(self) -> list[str]:
        return [each["href"] or "" for tag, each in self.found if tag == "a"]


def test_a_digest_says_the_same_in_text_and_html(links: Links) -> None:
    text, html = parts(read(digest(links)))
    page = Tags(html)
    shown = [" ".join(text.split()), " ".join(" ".join(page.text).split())]
    for body in shown:
        for said in (
            "Trending this week",
            "Friday, 22 November 2024",
            CLEAN.title,
            "Brian M. Oki, Barbara Liskov",
            CLEAN.abstract.removesuffix(" Nobody reads a third sentence."),
            CLEAN.why,
            "papers that trend this week, every day from Monday to Friday at 08:00 (Europe/Berlin)",
            "ada+papers@example.org",
        ):
            assert said in body
        assert "third sentence" not in body
    id = samples.subscription(links).id
    for link in (CLEAN.url, links.manage(id, AT_MS), links.unsubscribe(id)):
        assert link in text.split()
        assert link in page.links


def test_a_mail_loads_nothing_and_tells_nobody_that_it_was_read(links: Links) -> None:
    _, html = parts(read(digest(links)))
    page = Tags(html)
    loading = {"img", "script", "link", "iframe", "form", "video", "audio", "object", "svg", "base"}
    assert not loading & {tag for tag, _ in page.found}
    for _, attributes in page.found:
        assert not {"src", "srcset", "background", "action"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
    assert "url(" not in html
    assert "@import" not in html
    other = samples.subscription(links, "bob@example.org")
    theirs = digest_mail(other, samples.issue(), links, SENDER, AT_MS)
    mine = {link for link in page.links if "/papers/" in link}
    assert mine == {link for link in Tags(parts(theirs)[1]).links if "/papers/" in link}


def test_every_element_has_its_colours_in_light_and_dark(links: Links) -> None:
    for message in all_mails(links):
        _, html = parts(read(message))
        dark = html[html.index("prefers-color-scheme: dark") :]
        assert '<meta name="color-scheme" content="light dark">' in html
        for _, attributes in Tags(html).found:
            style = attributes.get("style") or ""
            if re.search(r"(?<![-\w])(color|background):", style):
                classes = (attributes.get("class") or "").split()
                assert any(f".{name} {{" in dark for name in classes), style


def all_mails(links: Links) -> list[EmailMessage]:
    subscription = samples.subscription(links)
    return [
        digest(links),
        confirmation_mail(subscription, links, SENDER, AT_MS),
        already_mail(subscription, links, SENDER, AT_MS),
    ]


def test_headers(links: Links) -> None:
    message = read(digest(links))
    id = samples.subscription(links).id
    assert sorted(message.keys()) == sorted(ONCE)
    assert message["From"] == SENDER
    assert message["To"] == "ada+papers@example.org"
    assert message["Subject"] == f"Trending this week: {CLEAN.title}"
    assert message["Date"] == "Fri, 22 Nov 2024 07:36:40 +0000"
    assert message["Message-ID"] == f"<digest.{id}.{AT_MS:x}@papers.example>"
    assert message["List-Id"] == "<digest.papers.example>"
    assert message["List-Unsubscribe"] == f"<{links.unsubscribe(id)}>"
    assert message["List-Unsubscribe"].startswith("<https://")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Auto-Submitted"] == "auto-generated"


def test_the_same_mail_has_the_same_bytes_and_another_one_another_id(links: Links) -> None:
    assert digest(links).as_bytes() == digest(links).as_bytes()
    subscription = samples.subscription(links)
    later = replace(samples.issue(), occurrence_ms=AT_MS + 86_400_000)
    ids = [
        digest(links)["Message-ID"],
        digest_mail(subscription, later, links, SENDER, AT_MS)["Message-ID"],
        digest(links, address="bob@example.org")["Message-ID"],
        *(message["Message-ID"] for message in all_mails(links)[1:]),
    ]
    assert len(set(ids)) == len(ids)
    # It is the mail's, not the time's at which it was made: another attempt is no other mail.
    again = digest_mail(subscription, samples.issue(), links, SENDER, AT_MS + 5_000)
    assert again["Message-ID"] == ids[0]


def test_the_mail_to_confirm_asks_and_names_the_way_out(links: Links) -> None:
    pending = samples.subscription(links)
    message = read(confirmation_mail(pending, links, SENDER, AT_MS))
    text, html = parts(message)
    assert message["Subject"] == "Confirm your digest from Related Papers"
    assert "List-Unsubscribe" not in message  # it is no list yet
    for body in (text, html):
        assert "no other mail comes" in " ".join(body.split())
        assert "ada+papers@example.org" in body
    assert links.confirm(pending) in text.split()
    assert links.confirm(pending) in Tags(html).links


def test_the_mail_to_one_who_has_it_already_says_that_nothing_changed(links: Links) -> None:
    subscription = samples.subscription(links)
    text, html = parts(read(already_mail(subscription, links, SENDER, AT_MS)))
    for body in (text, html):
        assert "Nothing has changed." in body
    assert links.manage(subscription.id, AT_MS) in text.split()
    assert links.manage(subscription.id, AT_MS) in Tags(html).links


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("ada+papers@example.org", "ada+papers@example.org"),
        ("o'hara!#$%&*=?^_`{|}~@example.org", "o'hara!#$%&*=?^_`{|}~@example.org"),
        ("ada@xn--mnchen-3ya.example", "ada@münchen.example"),
        ("ada@xn--fiqs8s.xn--p1ai", "ada@中国.рф"),
        ("a" * 64 + "@" + ("b" * 59 + ".") * 3 + "example", None),
    ],
)
def test_addresses(links: Links, address: str, written: str | None) -> None:
    message = read(digest(links, address=address))
    assert [each.addr_spec for each in message["To"].addresses] == [address]
    assert (written or address) in parts(message)[0]


HOSTILE = [
    "\r\nBcc: victim@example.org",
    "\nSubject: another\r\n\r\nanother body",
    "=?utf-8?q?=0D=0ABcc:_victim@example.org?=",
    "\u2028Bcc: victim@example.org",
    "\x00\x07\x1b[31m",
    "\ud800",
    "\u202egnp.exe",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    '"><a href="https://evil.example">',
    "{{ leave }}{% raw %}",
    "--=_digest",
    "\u200d" * 500,
    "ﷺ" * 700,
    "&" * 5_000,
    "𒐫" * 5_000,
    "x" * 10_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_adds_a_header_or_an_element(links: Links, text: str) -> None:
    entry = Entry(text, text, [text] * 200, text * 20, text, "https://papers.example/papers/x")
    subscription = samples.subscription(links)
    issue = samples.issue(*[entry] * MAX_ENTRIES, heading=text or "x")
    message = read(digest_mail(subscription, issue, links, SENDER, AT_MS))
    assert sorted(message.keys()) == sorted(ONCE)
    assert "victim@example.org" not in [each.addr_spec for each in message["To"].addresses]
    plain, html = parts(message)
    ours = {"/", "/digest/manage", "/digest/unsubscribe", "/papers/x"}
    for link in Tags(html).links:
        assert link.startswith("https://papers.example/")
        assert link.removeprefix("https://papers.example").partition("?")[0] in ours
    assert Tags(html).links[-1] == links.unsubscribe(subscription.id)
    for body in (plain, html):
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08]", body)
        assert "Unsubscribe" in body


@given(
    texts=st.lists(st.text(max_size=300), min_size=4, max_size=4),
    count=st.integers(1, MAX_ENTRIES),
    url=st.integers(0, 3_000),
)
def test_any_texts_make_a_correct_mail(
    links: Links, texts: list[str], count: int, url: int
) -> None:
    title, author, abstract, why = texts
    entry = Entry("p", title, [author], abstract, why, "https://papers.example/" + "x" * url)
    message = digest(links, *[entry] * count)
    arrived = read(message)
    assert arrived["Subject"] == message["Subject"]
    assert [part.splitlines() for part in parts(arrived)] == [
        part.splitlines() for part in parts(message)
    ]
    Tags(parts(arrived)[1])


def test_a_mail_is_never_too_long_and_loses_its_abstracts_first(links: Links) -> None:
    long = replace(
        CLEAN,
        title="𒐫" * 400,
        authors=["𒐫" * 400] * 100,
        abstract="𒐫" * 3_000,
        why="𒐫" * 400,
        url="https://papers.example/papers/" + "%F0" * 120,
    )
    message = digest(links, *[long] * MAX_ENTRIES)
    text, html = parts(read(message))
    assert text.count(long.url) == html.count(long.url) == MAX_ENTRIES
    roomy = digest(links, *[replace(CLEAN, abstract="Words and words. " * 40)] * MAX_ENTRIES)
    assert parts(read(roomy))[0].count("Words and words. Words and words.") == MAX_ENTRIES


@pytest.mark.parametrize("count", [0, MAX_ENTRIES + 1])
def test_a_digest_has_some_papers_and_not_too_many(links: Links, count: int) -> None:
    issue = replace(samples.issue(), entries=[CLEAN] * count)
    with pytest.raises(ValueError, match=f"1 to {MAX_ENTRIES} papers, not {count}"):
        digest_mail(samples.subscription(links), issue, links, SENDER, AT_MS)


@pytest.mark.parametrize(
    ("public_url", "host"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1"),
        ("http://[::1]:8080", "[IPv6:::1]"),
        ("https://papers.example:8443", "papers.example"),
    ],
)
def test_links_and_ids_are_of_the_public_address(
    tmp_path: Path, public_url: str, host: str
) -> None:
    links = samples.links(tmp_path, public_url)
    message = read(digest(links))
    assert message["Message-ID"].endswith(f"@{host}>")
    assert message["List-Id"] == f"<digest.{host}>"
    assert message["List-Unsubscribe"].startswith(f"<{public_url}/")


def test_two_sentences() -> None:
    assert sentences("One. Two! Three?") == "One. Two!"
    assert sentences("Is it one? (Yes.) No") == "Is it one? (Yes.)"
    assert sentences("See Fig. 3 of A. Turing et al. It is e.g. 3.5 cm. New. Not") == (
        "See Fig. 3 of A. Turing et al. It is e.g. 3.5 cm. New."
    )
    assert sentences("we go on. and on. And on. Not.") == "we go on. and on. And on."
    assert sentences("第一句。第二句。第三句。") == "第一句。第二句。"
    assert sentences("  no end\n at all ") == "no end at all"
    assert sentences("") == ""


def test_cut_texts_and_names() -> None:
    assert cut("short", 5) == "short"
    assert cut("several words here", 14) == "several words…"
    assert cut("onelongword", 5) == "onel…"
    assert cut("gone", 0) == ""
    assert names(["A", "B", "C"], 100) == "A, B, C"
    assert names(["Ann", "Bob", "Cy"], 8) == "Ann, Bob and 1 more"
    assert names([], 8) == ""
