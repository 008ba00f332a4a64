"""The one POST with which a mail program ends a subscription, without a page (RFC 8058).

It comes from anywhere, with no cookie and nothing else to tell by, so the address that it is sent
to holds all that is needed. What it sends tells it from a form of ours.
"""

from email import policy
from email.parser import BytesParser
from urllib.parse import parse_qsl

_NAME, _VALUE = "List-Unsubscribe", "One-Click"


def is_one_click(content_type: str, body: bytes) -> bool:
    """Whether a body is that of RFC 8058: as a form of either kind."""
    try:
        if content_type.partition(";")[0].strip().lower() == "multipart/form-data":
            return (_NAME, _VALUE) in _parts(content_type, body)
        return (_NAME, _VALUE) in parse_qsl(body.decode("ascii"), max_num_fields=8)
    except (ValueError, RecursionError):  # parts in parts in parts
        return False


def _parts(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """Names and values of a multipart form (RFC 7578)."""
    head = f"content-type: {content_type}\r\n\r\n".encode("ascii", "replace")
    message = BytesParser(policy=policy.HTTP).parsebytes(head + body)
    return [
        (str(part.get_param("name", "", "content-disposition")), str(part.get_payload()).strip())
        for part in message.walk()
        if not part.is_multipart()
    ]
