"""Every setting of the service: its name, default, range and meaning, in one table."""

import re
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.digest.addresses import InvalidAddress, named

PREFIX = "RELATED_PAPERS_"

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?|https?://\[[0-9a-f:]+\](:[0-9]+)?")
"""As browsers send it: scheme, host and port, in lower case and without a slash at the end."""


class SettingsError(ValueError):
    """A setting has a value that it can't have, alone or beside others; the message, one sentence,
    names them."""


class Settings(BaseSettings):
    """The environment gives a setting as RELATED_PAPERS_<NAME>; a command-line option wins."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    model: Path = Field(
        Path("data/model"), description="The model folder that `train` wrote, or one version in it"
    )
    host: str = Field("127.0.0.1", description="The address to listen on; 0.0.0.0 for every one")
    port: int = Field(50051, ge=0, le=65535, description="The gRPC port; 0 picks a free one")
    web_port: int = Field(8080, ge=0, le=65535, description="The web port; 0 picks a free one")
    data_dir: Path = Field(
        Path("data"), description="Where the signing keys and the embedded servers' files are"
    )
    state_url: str | None = Field(
        None, description="The Redis of the state; without, an embedded server keeps it"
    )
    cache_url: str | None = Field(
        None, description="The Redis of the cache; without, an embedded server keeps it"
    )
    cache_megabytes: int = Field(
        64, ge=1, description="The bound of the embedded cache server, in MB"
    )
    local_cache_megabytes: int = Field(
        16,
        ge=0,
        description="The bound of the cache inside the process, in MB; lists that are asked for "
        "again take as much once more",
    )
    max_message_bytes: int = Field(
        16 * 1024 * 1024, ge=1024, description="The longest request that is read, in bytes"
    )
    api_key_file: Path | None = Field(
        None,
        description="The file of API keys; without, what concerns readers is served on loopback "
        "alone",
    )
    trusted_proxies: str = Field(
        "",
        description="Networks whose `x-forwarded-for` is believed, with commas between: "
        "10.0.0.0/8,192.0.2.1",
    )
    cors_origins: str = Field(
        "",
        description="Origins whose pages may call the API and show the widget, with commas "
        "between: https://papers.example; * for every one",
    )
    allowed_hosts: str = Field(
        "",
        description="Host names that the web port answers to besides loopback's; without, on "
        "loopback no others, elsewhere every one",
    )
    public_url: str | None = Field(
        None,
        description="Where readers reach the web port, such as https://papers.example: it stands "
        "in feeds and in mails; without, the address that `serve` listens on",
    )
    event_types: str = Field(
        "{}",
        description='Types of events to add or to change, as JSON: {"dwell": {"strength": 0.3, '
        '"sign": 1}}',
    )
    event_window_days: float = Field(
        30.0,
        gt=0,
        le=3650,
        description="How old an event may be when it arrives, and how long its id is remembered",
    )
    log_days: float = Field(
        35.0, ge=35, le=3650, description="How long the feedback log keeps events, 35 at the least"
    )
    trending_windows: str = Field(
        '{"week": 7, "day": 1, "month": 30}',
        description="The windows of trending papers, as JSON: days by name, a day less than "
        "`log_days` at most; the first is the default",
    )
    trending_types: str = Field(
        "{}",
        description="What events count in trends, as JSON, added to the built-in ones: "
        '{"dwell": {"weight": 1, "half_life": 0.3}}; half-lives are shares of the window',
    )
    allow_unsafe_state: bool = Field(
        False, description="Serve even if the state server could lose or evict what it was given"
    )
    updater: bool = Field(
        True, description="Whether `serve` runs an updater; many share a state server well"
    )
    digest_requests_per_hour: int = Field(
        30,
        ge=1,
        description="How many digests one network may ask for in an hour; a key with the scope "
        "`digest` any number",
    )
    with_digest: bool = Field(
        False, description="Whether `serve` sends the digests; many senders share the work"
    )
    digest_papers: int = Field(
        10, ge=1, le=20, description="How many papers a digest brings at most"
    )
    digest_undecided: Literal["skip", "resend"] = Field(
        "skip",
        description="What becomes of a mail of which nobody can say whether it arrived: skip, no "
        "second copy and perhaps none; resend, perhaps a second copy",
    )
    digest_lease_seconds: float = Field(
        60.0,
        gt=0,
        le=86_400,
        description="How long a sender may be silent before others take its mails over",
    )
    mail_from: str = Field(
        "Related Papers <digest@related-papers.invalid>",
        description="Whom mails are from, such as Papers <digest@papers.example>; bounces go there",
    )
    smtp_host: str | None = Field(
        None,
        description="The mail server; without, mails go to the folder `mail` of the data folder",
    )
    smtp_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Its port; without, 587 for STARTTLS, 465 for TLS, else 25",
    )
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="How the connection is secured: starttls, tls, or none, where no password is "
        "sent",
    )
    smtp_username: str | None = Field(None, description="Who logs in at the mail server")
    smtp_password_file: Path | None = Field(
        None, description="The file whose first line is the password"
    )
    smtp_mails_per_second: float = Field(
        10.0, gt=0, le=10_000, description="How many mails a sender hands over in a second at most"
    )
    smtp_timeout_seconds: float = Field(
        60.0, gt=0, le=600, description="How long the mail server may take for one answer"
    )
    drain_seconds: float = Field(
        10.0, ge=0, le=600, description="How long calls in flight may take when the service stops"
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for part in parts(value):
            ip_network(part)
        return value

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: str) -> str:
        for part in parts(value):
            if part != "*" and not _ORIGIN.fullmatch(part):
                raise ValueError(f"{part!r} is no origin, such as https://papers.example")
        return value

    @field_validator("mail_from")
    @classmethod
    def _is_sender(cls, value: str) -> str:
        try:
            named(value)
        except InvalidAddress as error:
            raise ValueError(f"it must be {error}") from error
        return value

    @field_validator("public_url")
    @classmethod
    def _is_origin(cls, value: str | None) -> str | None:
        if not value:
            return None
        origin = value.removesuffix("/").lower()
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(
                f"{value!r} is no origin, such as https://papers.example: scheme and host, a port "
                "if need be, and no path"
            )
        return origin


def parts(value: str) -> tuple[str, ...]:
    """The parts of a setting that is a list with commas between."""
    return tuple(filter(None, (part.strip() for part in value.split(","))))


class Row(NamedTuple):
    """One row of the configuration table."""

    variable: str
    default: str
    description: str


def table() -> Iterator[Row]:
    """The configuration table, as the README prints it."""
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else str(field.default)
        yield Row(PREFIX + name.upper(), default, field.description or "")


def load(**options: object) -> Settings:
    """The settings: options that are not None, then the environment, then the defaults.

    Raises SettingsError with one sentence that names the setting and its value.
    """
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "?"
        source = f"--{name.replace('_', '-')}" if name in given else PREFIX + name.upper()
        why = first["msg"].removeprefix("Value error, ")  # what pydantic puts before ours
        raise SettingsError(f"{source} is {first['input']!r}: {why}.") from error
