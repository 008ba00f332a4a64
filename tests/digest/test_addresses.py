"""Which addresses are taken, and as what they are kept."""

from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.digest.addresses import InvalidAddress, kept, mailbox, named, shown


@pytest.mark.parametrize(
    ("given_as", "kept_as"),
    [
        ("ada@papers.example", "ada@papers.example"),
        (" Ada.Lovelace+papers@Papers.EXAMPLE ", "Ada.Lovelace+papers@papers.example"),
        ("o'hara!#$%&*/=?^_`{|}~-@papers.example", "o'hara!#$%&*/=?^_`{|}~-@papers.example"),
        ("ada@münchen.example", "ada@xn--mnchen-3ya.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@中国.рф", "ada@xn--fiqs8s.xn--p1ai"),
        ("ada@faß.de", "ada@xn--fa-hia.de"),  # by IDNA 2003 it would be another domain, fass.de
        ("ada@papers。example", "ada@papers.example"),
        ("ada@xn--mnchen-3ya.example", "ada@xn--mnchen-3ya.example"),
        ("a" * 64 + "@papers.example", "a" * 64 + "@papers.example"),
    ],
)
def test_an_address_is_kept_in_one_spelling(given_as: str, kept_as: str) -> None:
    assert kept(given_as) == kept_as
    assert kept(kept_as) == kept_as
    assert kept(shown(kept_as)) == kept_as


REFUSED = [
    *("", "ada", "@papers.example", "ada@", "ada@localhost", "ada@@papers.example"),
    *("ada@127.0.0.1", "ada@[127.0.0.1]", "ada@[IPv6:::1]", "ada@papers..example", "ada@.example"),
    *(".ada@papers.example", "ada.@papers.example", "a..da@papers.example"),
    *('"ada b"@papers.example', "ada b@papers.example", "ada(comment)@papers.example"),
    *("ada@papers.example,bob@papers.example", "ada@papers.example;bob@papers.example"),
    *(
        "<ada@papers.example>",
        "Ada <ada@papers.example>",
        "ada@papers.example>",
        "a<b@papers.example",
    ),
    *("ada@papers.example\r\nBcc: bob@papers.example", "ada\r\nBcc:x@papers.example"),
    *(
        "ada@papers.example\n",
        "ada\0@papers.example",
        "ada@papers\t.example",
        "ada@pa pers.example",
    ),
    *("ada@papers.example\u2028", "ada\u00a0@papers.example", "ada\u202e@papers.example"),
    *("ädá@papers.example", "ada@-papers.example", "ada@papers-.example", "ada@pa_pers.example"),
    *("a" * 65 + "@papers.example", "ada@" + "a" * 64 + ".example", "ada@" + "a.example" * 60),
    *("ada@xn--a.example", "ada@\u200d.example", "=?utf-8?q?ada?=@papers.example\r\n"),
    *("=?utf-8?q?ada?=@papers.example", "a=?utf-8?b?YWRh?=@papers.example"),
    *("=??q??=@papers.example", "=?utf-8?q?=41@papers.example", "=?x?b?=?=.a@papers.example"),
]


@pytest.mark.parametrize("address", REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidAddress):
        kept(address)


ANY = st.emails() | st.builds("{}@{}.example".format, st.text(max_size=80), st.text(max_size=80))


@given(ANY)
def test_whatever_is_kept_can_stand_in_a_header_and_in_a_command(text: str) -> None:
    try:
        address = kept(text)
    except InvalidAddress:
        return
    assert address.isascii()
    assert address.isprintable()
    assert not set(address) & set(' <>()[],;:\\"')
    assert address.count("@") == 1
    assert len(address) <= 254
    assert Address(addr_spec=address).addr_spec == address


PIECES = st.sampled_from(["=?", "?=", "?", "=", "q", "b", "utf-8", ".", "a", "_", "=41"])


@given(st.lists(PIECES, min_size=1, max_size=9).map("".join))
def test_what_is_kept_is_what_a_mail_program_reads(local: str) -> None:
    """Encoded words (RFC 2047), whole and in part."""
    try:
        address = kept(f"{local}@papers.example")
    except InvalidAddress:
        return
    message = EmailMessage()
    message["To"] = Address(addr_spec=address)
    [read] = message_from_bytes(message.as_bytes(), policy=policy.default)["To"].addresses
    assert read.addr_spec == address


def test_mailboxes_do_not_tell_the_case() -> None:
    assert mailbox(kept("Ada@Papers.example")) == mailbox(kept("ada@papers.EXAMPLE"))
    assert mailbox(kept("ada+1@papers.example")) != mailbox(kept("ada+2@papers.example"))


def test_a_name_may_stand_before_an_address() -> None:
    assert named("Ada Lovelace <ada@Papers.example>") == ("Ada Lovelace", "ada@papers.example")
    assert named("ada@papers.example") == ("", "ada@papers.example")
    assert named('"Lovelace, Ada" <ada@papers.example>')[0] == "Lovelace, Ada"
    for wrong in ("Ada", "Ada <ada>", "Ada\r\nBcc: x <ada@papers.example>", ""):
        with pytest.raises(InvalidAddress):
            named(wrong)
