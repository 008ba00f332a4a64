"""The digest's pages, without a script: to GET they change nothing, and only our buttons act."""

import re
from html import unescape
from urllib.parse import urlsplit

import pytest

from service.urls import url
from tests.digest.mailboxes import mails
from tests.digest.pages import ADA, CONFIRM, ERASE, LEAVE, MANAGE, Pages, local
from tests.explorer.forms import Form, forms, send
from tests.explorer.markup import check


def test_subscribe_confirm_change_leave_come_back_and_erase(pages: Pages) -> None:
    sent = pages.subscribe()
    assert (sent.status, sent.location) == (303, "/digest/mailbox")
    assert "Look into your mailbox" in pages.page(sent.location).text
    link = pages.mail()["confirm"]
    assert link.url.startswith(f"{pages.origin}/digest/confirm?")

    confirming = pages.read(local(link))
    for part in (ADA, "trend this week", "Every day at 07:00 (Europe/Berlin)"):
        assert part in check(confirming).text
    sent = pages.press(confirming, CONFIRM)
    assert sent.status == 200
    assert "Your digest is confirmed" in check(sent.body).text
    text = re.sub(r"\s+", " ", check(sent.body).text)
    assert re.search(r"Next\w+day, \d+ \w+ 20\d\d, 07:00", text)

    manage = unescape(re.findall(r'href="(/digest/manage[^"]+)"', sent.body)[0])
    [form] = [form for form in forms(pages.read(manage)) if form.action == MANAGE]
    chosen = {"content": "search", "query": "graph coloring", "frequency": "weekly", "weekday": "5"}
    chosen |= {"hour": "18", "time_zone": "Asia/Tokyo"}
    sent = send(pages, form._replace(fields=form.fields | chosen))
    text = check(sent.body).text
    assert sent.status == 200
    assert "Saved." in text
    assert "match “graph coloring”" in text
    assert "Every Friday at 18:00 (Asia/Tokyo)" in text

    assert "You are unsubscribed" in check(pages.press(pages.read(manage), LEAVE).body).text
    ended = pages.read(manage)
    assert "no mail is sent" in ended
    [form] = [form for form in forms(ended) if form.action == MANAGE]
    again = send(pages, form._replace(fields=form.fields | chosen))
    assert "no mail is sent" not in again.body

    assert "Deleted" in check(pages.press(pages.read(manage), ERASE).body).text
    assert "There is no such digest" in pages.page(manage, status=404).text


def test_to_get_a_page_changes_nothing(pages: Pages) -> None:
    pages.subscribe()
    confirm = local(pages.mail()["confirm"])
    for _ in range(3):  # as scanners do
        assert "Confirm your digest" in pages.page(confirm).text
    manage = pages.confirmed("bob@papers.example")
    token = urlsplit(manage).query
    for path in (manage, f"/digest/unsubscribe?{token}", manage):
        pages.page(path)
        assert "no mail is sent" not in pages.read(manage)
    assert "Confirm your digest" in pages.page(confirm).text
    assert pages.ask("/digest/erasure?" + token)[0] == 405


def test_the_page_says_the_same_whoever_asks(pages: Pages) -> None:
    answers = {pages.subscribe()[:2], pages.subscribe("nobody@papers.example")[:2]}
    pages.mail()
    pages.press(pages.read(local(pages.mail()["confirm"])), CONFIRM)
    answers |= {pages.subscribe()[:2]}
    assert "manage" in pages.mail(2)  # the mailbox is told
    for _ in range(5):  # and after some mails a day, nothing
        answers |= {pages.subscribe()[:2]}
    assert answers == {(303, "/digest/mailbox")}
    pages.mail(3)
    assert len(mails(pages.data, ADA)) == 3


@pytest.mark.parametrize(
    ("change", "says", "about"),
    [
        ({"address": ""}, "No mail can be sent", "address"),
        ({"address": "ada"}, "No mail can be sent", "address"),
        ({"address": "ada@papers.example\r\nBcc: a@b.example"}, "No mail can be sent", "address"),
        ({"address": "a" * 65 + "@papers.example"}, "No mail can be sent", "address"),
        ({"address": '"><script>alert(1)</script>@b.example'}, "No mail can be sent", "address"),
        ({"content": "search", "query": " "}, "Give words", "query"),
        ({"content": "seeds", "seeds": "\r\n \r\n"}, "Name at least one", "seeds"),
        ({"content": "seeds", "seeds": "no-such\r\nnor-this"}, "None of these", "seeds"),
        ({"content": "seeds", "seeds": "\n".join("x" * 101)}, "1 to 100 papers", "seeds"),
        ({"content": "reader", "reader": ""}, "the id of a reader", "reader"),
        ({"content": "everything"}, "what the digest is made of", ""),
        ({"window": "century"}, "one of the windows", "window"),
        ({"time_zone": "Mars/Olympus"}, "one of the time zones", "time_zone"),
        ({"hour": "25"}, "one of the hours", "hour"),
        ({"hour": "x"}, "one of the hours", "hour"),
        ({"frequency": "hourly"}, "how often", "frequency"),
        ({"frequency": "weekly", "weekday": "9"}, "one of the days", "weekday"),
    ],
)
def test_a_form_that_is_wrong_says_where(
    pages: Pages, change: dict[str, str], says: str, about: str
) -> None:
    sent = pages.subscribe(**{"address": ADA, **change})
    assert sent.status == 400
    assert says in check(sent.body).text
    marked = re.findall(r'id="(\w+)"[^>]*aria-invalid="true"', sent.body)
    assert marked == ([about] if about else [])
    assert not mails(pages.data, ADA)
    kept = forms(sent.body)[-1].fields["address"]  # what was typed is still there
    assert kept == change.get("address", ADA)


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("ada+papers@papers.example", "ada+papers@papers.example"),
        ("o'neil!#$%&*/=?^_`{|}~@papers.example", "o'neil!#$%&*/=?^_`{|}~@papers.example"),
        ("ada@Bücher.Example", "ada@xn--bcher-kva.example"),
        ("ada@例え.テスト", "ada@xn--r8jz45g.xn--zckzah"),
        (" ada@papers.example ", "ada@papers.example"),
        ("a" * 64 + "@papers.example", "a" * 64 + "@papers.example"),
    ],
)
def test_addresses_of_every_kind(pages: Pages, address: str, written: str) -> None:
    manage = pages.confirmed(address, to=written)
    assert address.strip().lower() in pages.page(manage).text.lower()


@pytest.mark.parametrize(
    ("path", "filled"),
    [
        ("/digest?window=month", {"content": "trending", "window": "month"}),
        ("/digest?window=century", {"content": "trending", "window": "week"}),
        ("/digest?q=graph%20%22x%22", {"content": "search", "query": 'graph "x"'}),
        ("/digest?seed=graph-01&seed=graph-02", {"content": "seeds"}),
        ("/digest?reader=ada", {"content": "reader", "reader": "ada"}),
        ("/digest?q=%3Cscript%3E&seed=%3C/textarea%3E", {"query": "<script>"}),
        ("/digest?seed=%3C/textarea%3E%3Cscript%3E", {"content": "seeds"}),
    ],
)
def test_other_pages_lead_to_a_form_that_is_filled_in(
    pages: Pages, path: str, filled: dict[str, str]
) -> None:
    page = pages.read(path)
    if "content" in filled:
        assert re.findall(r'value="(\w+)" checked', page) == [filled["content"]]
    if "window" in filled:
        assert f"<option selected>{filled['window']}</option>" in page
    [form] = [form for form in forms(page) if form.action == "/digest"]
    for name in {"query", "reader"} & set(filled):
        assert form.fields[name] == filled[name]


@pytest.mark.parametrize("action", [CONFIRM, MANAGE, LEAVE, ERASE, "/digest"])
@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "none"}, {"origin": "null"}, {}],
    ids=str,
)
def test_a_form_from_elsewhere_does_nothing(
    pages: Pages, action: str, headers: dict[str, str]
) -> None:
    pages.subscribe()
    link = pages.mail()["confirm"]
    form = Form(action, {"token": link.token, "address": "eve@evil.example"})
    sent = send(pages, form, headers)
    assert sent.status == 403
    assert "nothing was done" in check(sent.body).text
    assert "Confirm your digest" in pages.page(local(link)).text


@pytest.mark.parametrize("token", ["", "forged", "<script>", "x" * 5_000, "é", "\x00"])
@pytest.mark.parametrize("path", [CONFIRM, MANAGE])
def test_a_link_that_is_not_whole_says_so(pages: Pages, path: str, token: str) -> None:
    text = pages.page(url(path, token=token), status=400).text
    assert "token" in text if not token else "This link does not work" in text


def test_a_mailbox_that_takes_mail_again_confirms_again(pages: Pages) -> None:
    pages.subscribe()
    confirm = local(pages.mail()["confirm"])
    pages.press(pages.read(confirm), CONFIRM)
    assert "Your digest is confirmed" in pages.page(confirm).text  # and has no button
    assert not forms(pages.read(confirm), token=urlsplit(confirm).query.partition("=")[2])
    pages.suppress()
    page = pages.read(confirm)
    assert "Confirm your digest" in check(page).text
    assert "Your digest is confirmed" in check(pages.press(page, CONFIRM).body).text
    assert "Your digest is confirmed" in pages.page(confirm).text


def test_seeds_are_shown_by_their_titles(pages: Pages) -> None:
    manage = pages.confirmed(content="seeds", seeds="graph-01\r\nno-such\r\n\r\ngraph-02\r\n")
    page = pages.read(manage)
    assert page.count('<a href="/papers/graph-') == 2
    assert "and 1 more" in page
    assert "graph-01\nno-such\ngraph-02</textarea>" in page


def test_no_page_is_kept_by_anybody(pages: Pages) -> None:
    manage = pages.confirmed()
    for path in ("/digest", manage, "/digest/mailbox"):
        _, headers, _ = pages.ask(path)
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
