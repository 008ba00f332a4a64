"""Reports of mails that came back, as mail servers write them."""

from email import message_from_bytes
from email.message import EmailMessage, Message
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from tests.digest.samples import SENDER


def report(
    original: EmailMessage,
    status: str,
    *,
    action: str = "failed",
    said: str = "",
    headers_alone: bool = False,
    kind: str = "delivery-status",
) -> bytes:
    """A report that brings a mail of ours along, or its headers alone."""
    found = MIMEMultipart("report", report_type=kind)
    found["From"] = "MAILER-DAEMON@mail.example"
    found["To"] = SENDER
    found["Subject"] = "Undelivered Mail Returned to Sender"
    found.attach(MIMEText("I'm sorry to have to inform you."))
    about, recipient = Message(), Message()
    about["Reporting-MTA"] = "dns; mail.example"
    recipient["Final-Recipient"] = "rfc822; ada+papers@example.org"
    recipient["Action"] = action
    recipient["Status"] = status
    if said:
        recipient["Diagnostic-Code"] = f"smtp; {said}"
    part = Message()
    part["Content-Type"] = f"message/{kind}"
    part.set_payload([about, recipient])
    found.attach(part)
    whole = original.as_bytes()
    if headers_alone:
        found.attach(MIMEText(whole.partition(b"\r\n\r\n")[0].decode(), "rfc822-headers"))
    else:
        found.attach(MIMEMessage(message_from_bytes(whole)))
    return found.as_bytes()


def nested(levels: int) -> bytes:
    """The body, of boundary `b0`, of parts in parts in parts."""
    head = "--b{}\r\nContent-Type: multipart/mixed; boundary=b{}\r\n\r\n"
    return "".join(head.format(level, level + 1) for level in range(levels)).encode()
