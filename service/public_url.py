"""Where readers reach the web port, as links outside its pages write it."""

from contextlib import suppress

from service import private_file
from service.settings import Settings

PUBLIC_URL_FILE = "public.url"
"""In the data folder: where readers reach the `serve` that began last there."""

_EVERYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104 - compared with, not listened on


def public_url(settings: Settings, web_port: int) -> str:
    """The origin that stands in feeds and mails, without a slash at its end.

    web_port: where the service listens; the setting `public_url` needs none.
    """
    return settings.public_url or f"http://{reachable(settings.host)}:{web_port}"


def leave_public_url(settings: Settings) -> None:
    """Say in the data folder where readers reach a service that is ready, for `left_public_url`.

    settings: with the web port that it listens on.
    Raises OSError.
    """
    url = public_url(settings, settings.web_port)
    private_file.write(settings.data_dir / PUBLIC_URL_FILE, f"{url}\n")


def left_public_url(settings: Settings) -> str:
    """`public_url` for a command, which listens nowhere: the setting; or else what the last `serve`
    left in the data folder; or else host and web port of the settings."""
    left = ""
    if settings.public_url is None:
        with suppress(OSError, UnicodeDecodeError):
            left = (settings.data_dir / PUBLIC_URL_FILE).read_text(encoding="ascii").strip()
    return left or public_url(settings, settings.web_port)


def reachable(host: str) -> str:
    """A host that one can ask for where `host` is listened on, as a URL writes it."""
    host = "127.0.0.1" if host in _EVERYWHERE else host
    return f"[{host}]" if ":" in host else host
