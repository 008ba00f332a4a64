"""Mails as relays sign them: the signature holds all the way, in the strictest form there is."""

import asyncio
import json
import shutil
import smtplib
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from service.digest.mail import MAX_ENTRIES, Entry, digest_mail
from service.digest.smtp import SmtpTransport
from tests.digest import samples
from tests.digest.mail_server import Handler, mail_server
from tests.digest.samples import AT_MS, CLEAN, SENDER
from tests.support import fetch, require_tool

SOURCE = Path(__file__).parent / "npm"

SIGNED = [
    *("from", "to", "subject", "date", "message-id", "mime-version", "content-type", "list-id"),
    *("list-unsubscribe", "list-unsubscribe-post"),  # RFC 8058 wants these two signed
]

ENTRIES = {
    "one": [CLEAN],
    "plain": [replace(CLEAN, title="From here on", abstract=".\n.hidden dots \n." * 9)] * 20,
    "foreign": [replace(CLEAN, title="論文の題名", abstract="一つ目の文。二つ目の文。" * 9)] * 9,
    "full": [replace(CLEAN, title="𒐫" * 400, abstract="𒐫" * 900)] * MAX_ENTRIES,
}

Dkim = Callable[..., bytes]


@pytest.fixture(scope="module")
def dkim(tmp_path_factory: pytest.TempPathFactory) -> Dkim:
    """mailauth's signer and verifier, with a key of RSA."""
    folder = tmp_path_factory.mktemp("mailauth") / "npm"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("node_modules"))
    node = require_tool("node")
    fetch(
        require_tool("npm"),
        *("ci", "--ignore-scripts", "--prefer-offline", "--no-audit"),
        cwd=folder,
    )
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(pem)

    def run(command: str, mail: bytes, *arguments: str) -> bytes:
        return subprocess.run(
            [node, "dkim.js", command, *arguments],
            cwd=folder,
            input=mail,
            stdout=subprocess.PIPE,
            check=True,
        ).stdout

    return run


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("form", ["simple/simple", "relaxed/relaxed"])
@pytest.mark.parametrize("entries", ENTRIES.values(), ids=ENTRIES)
async def test_a_signature_holds_over_two_servers(
    dkim: Dkim, tmp_path: Path, entries: list[Entry], form: str
) -> None:
    links = samples.links(tmp_path)
    message = digest_mail(
        samples.subscription(links), samples.issue(*entries), links, SENDER, AT_MS
    )
    relay, receiver = Handler(), Handler()
    async with (
        mail_server(relay) as port,
        SmtpTransport("127.0.0.1", port=port, security="none") as transport,
    ):
        await transport.send(message)
    received = relay.mails[0].content
    assert received == message.as_bytes()
    signed = dkim("sign", received, form, ":".join(SIGNED))
    async with mail_server(receiver) as port:
        await asyncio.to_thread(relayed, port, signed)
    arrived = receiver.mails[0].content
    assert isinstance(arrived, bytes)
    (found,) = json.loads(dkim("verify", arrived))
    assert (found["result"], found["format"]) == ("pass", form)
    assert found["aligned"] == "papers.example"
    assert set(SIGNED) <= set(found["headers"])
    for spoiled in (arrived + b"more\r\n", arrived.replace(b"=One-Click", b"=Two-Click")):
        (found,) = json.loads(dkim("verify", spoiled))
        assert found["result"] != "pass"


def relayed(port: int, mail: bytes) -> None:
    """A relay hands on what it signed."""
    with smtplib.SMTP("127.0.0.1", port) as relay:
        assert relay.sendmail("digest@papers.example", ["ada+papers@example.org"], mail) == {}
