"""The widget's file, the page that shows it, and the same list without a script."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from service.web import embed
from tests.browser.conftest import Browse
from tests.browser.support import DEVICES, Look, Site, document, sound
from tests.browser.widget import PAPER
from tests.serving import Addresses, client_of
from tests.web.http import Answer, answer_of

FRAME = f"/embed/papers/{PAPER}"


def ask(service: Addresses, path: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer_of(urlsplit(service.web).port or 80, "GET", path, named)


def test_file_is_immutable_and_for_every_origin(service: Addresses, site: Site) -> None:
    status, headers, body = ask(service, embed.ADDRESS, origin="https://anybody.example")
    assert status == 200
    assert body == embed.SCRIPT
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["content-type"] == "text/javascript; charset=utf-8"
    status, headers, body = ask(service, embed.ADDRESS, accept_encoding="gzip")
    assert headers["content-encoding"] == "gzip"
    assert len(body) <= 10_000
    _, headers, _ = ask(service, embed.ADDRESS, origin=site.origin)
    assert headers["access-control-allow-origin"] in {"*", site.origin}
    status, headers, _ = ask(service, embed.ADDRESS, if_none_match=headers["etag"])
    assert status == 304


def test_present_file_is_asked_for_again(service: Addresses) -> None:
    status, headers, body = ask(service, "/widget/related-papers.js")
    assert (status, body) == (200, embed.SCRIPT)
    assert "immutable" not in headers["cache-control"]


@pytest.mark.parametrize("path", ["/widget/9.9.9/related-papers.js", "/widget/0.1.0/package.json"])
def test_other_files_are_absent(path: str, service: Addresses) -> None:
    assert ask(service, path)[0] == 404


def test_frame_is_cacheable_and_has_no_script(service: Addresses) -> None:
    status, headers, body = ask(service, FRAME)
    assert status == 200
    assert headers["cache-control"] == "public, max-age=300"
    assert "frame-ancestors *" in headers["content-security-policy"]
    assert "script-src" not in headers["content-security-policy"]
    assert b"<script" not in body
    assert b"style=" not in body
    assert "x-frame-options" not in headers
    status, _, body = ask(service, FRAME, if_none_match=headers["etag"])
    assert (status, body) == (304, b"")


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/embed/papers/none%20such", 404, "not in the collection"),
        (f"{FRAME}?limit=0", 400, "limit"),
        (f"{FRAME}?limit=all", 400, "limit"),
        (f"{FRAME}?popularity=2", 400, "popularity"),
    ],
)
def test_frame_says_what_is_wrong(path: str, status: int, says: str, service: Addresses) -> None:
    got, headers, body = ask(service, path)
    assert got == status
    assert says in body.decode()
    assert "frame-ancestors *" in headers["content-security-policy"], "it shows in the frame"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("device", DEVICES, ids=str)
async def test_frame(device: Look, browse: Browse, service: Addresses) -> None:
    page = await browse(device)
    await page.goto(f"{service.web}{FRAME}?limit=3&popularity=1&heading=Voir%20aussi")
    with client_of(service.grpc) as client:
        found = client.list_related_papers(paper_ids=[PAPER], limit=3, popularity=1.0)
        titles = [result.paper.title for result in found]
    await expect(page.locator(".list > li > a.title")).to_have_text(titles)
    await expect(page.get_by_role("heading", name="Voir aussi")).to_be_visible()
    for each in await page.locator("summary").all():
        await each.click()
    await expect(page.locator(".terms").first).to_be_visible()
    await sound(page)


async def test_without_scripts(browse: Browse, service: Addresses, site: Site) -> None:
    page = await browse(java_script_enabled=False)
    body = (
        f"<related-papers endpoint='{service.web}' paper-id='{PAPER}'><noscript>"
        f"<iframe src='{service.web}{FRAME}' title='Related papers' width='100%' height='640'>"
        "</iframe></noscript></related-papers>"
    )
    policy = f"default-src 'none'; script-src {service.web}; frame-src {service.web}"
    await page.goto(site.add(document(body), policy=policy))
    frame = page.frame_locator("iframe")
    await expect(frame.locator(".list > li")).to_have_count(5)
    await frame.locator("summary").first.click()
    await expect(frame.locator(".bar").first).to_be_visible()
    await frame.locator("a.title").first.click()
    await page.wait_for_url(f"{service.web}/papers/*")  # of the whole window


@pytest.mark.parametrize("device", DEVICES, ids=str)
async def test_page(device: Look, browse: Browse, service: Addresses) -> None:
    page = await browse(device)
    await page.goto(f"{service.web}/widget?paper={PAPER}")
    await page.locator("related-papers").scroll_into_view_if_needed()
    await expect(page.locator("related-papers .list > li")).to_have_count(5)
    snippet = await page.locator("pre").inner_text()
    assert f'src="{service.web}{embed.ADDRESS}"' in snippet
    assert f'integrity="{embed.INTEGRITY}"' in snippet
    assert f'paper-id="{PAPER}"' in snippet
    shown = await page.locator("dt").all_inner_texts()
    lists = re.findall(r"const (?:ASKS|SHOWS|REPORTS) = \[(.*?)\];", embed.SCRIPT.decode())
    assert shown == re.findall(r'"([a-z-]+)"', " ".join(lists))
    await sound(page)


async def test_the_snippet_works_where_it_is_pasted(
    browse: Browse, service: Addresses, site: Site
) -> None:
    page = await browse()
    await page.goto(f"{service.web}/widget")
    snippet = await page.locator("pre").inner_text()
    policy = f"default-src 'none'; script-src {service.web}; connect-src {service.web}"
    await page.goto(site.add(document(snippet), policy=policy))
    await expect(page.locator("related-papers .list > li")).to_have_count(5)
