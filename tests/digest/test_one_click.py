"""One POST from a mail program ends a digest, without a page (RFC 8058)."""

import pytest

from tests.digest.pages import Pages, leave_token
from tests.digest.reports import nested
from tests.explorer.markup import check

ONE_CLICK = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"List-Unsubscribe=One-Click", ONE_CLICK),
        (b"List-Unsubscribe=One-Click", ONE_CLICK | {"origin": "https://mail.example"}),
        (b"List-Unsubscribe=One-Click", ONE_CLICK | {"sec-fetch-site": "cross-site"}),
        (
            b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n%s\r\n--b--\r\n'
            % b"One-Click",
            {"content-type": 'multipart/form-data; boundary="b"'},
        ),
    ],
)
def test_one_click_ends_it_without_a_page(
    pages: Pages, body: bytes, headers: dict[str, str]
) -> None:
    manage = pages.confirmed()
    token = leave_token(pages)
    for _ in range(2):  # and a second time
        status, said = pages.post(f"/digest/unsubscribe?token={token}", body, headers)
        assert (status, said) == (200, "You are unsubscribed.\n")
    assert "no mail is sent" in pages.read(manage)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", ""),
        (b"token=TOKEN", "application/x-www-form-urlencoded"),
        (b"List-Unsubscribe=Two-Clicks", "application/x-www-form-urlencoded"),
        (b"list-unsubscribe=one-click", "application/x-www-form-urlencoded"),
        (b"\xff\xfe=", "application/x-www-form-urlencoded"),
        (b"--b\r\n\r\nOne-Click\r\n--b--\r\n", "multipart/form-data; boundary=b"),
        (b"--b", "multipart/form-data"),
        (nested(1_100), "multipart/form-data; boundary=b0"),
        (b"List-Unsubscribe=One-Click", "multipart/form-data; boundary=\xff"),
    ],
)
def test_what_is_not_one_click_from_elsewhere_does_nothing(
    pages: Pages, body: bytes, content_type: str
) -> None:
    manage = pages.confirmed()
    token = leave_token(pages)
    body = body.replace(b"TOKEN", token.encode())
    headers = {"content-type": content_type, "sec-fetch-site": "cross-site"}
    status, said = pages.post(f"/digest/unsubscribe?token={token}", body, headers)
    assert status == 403
    assert "nothing was done" in check(said).text
    assert "no mail is sent" not in pages.read(manage)


def test_one_click_with_a_forged_token(pages: Pages) -> None:
    status, _ = pages.post(
        "/digest/unsubscribe?token=" + "ab" * 32, b"List-Unsubscribe=One-Click", ONE_CLICK
    )
    assert status == 400
