"""Where readers reach the web port, as links outside its pages write it."""

from service.settings import Settings

_EVERYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104 - compared with, not listened on


def public_url(settings: Settings, web_port: int) -> str:
    """The origin that stands in feeds and mails, without a slash at its end.

    web_port: where the service listens; the setting `public_url` needs none.
    """
    return settings.public_url or f"http://{reachable(settings.host)}:{web_port}"


def reachable(host: str) -> str:
    """A host that one can ask for where `host` is listened on, as a URL writes it."""
    host = "127.0.0.1" if host in _EVERYWHERE else host
    return f"[{host}]" if ":" in host else host
