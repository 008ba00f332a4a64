"""Every setting of the service: its name, default, range and meaning, in one table."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "RELATED_PAPERS_"


class SettingsError(ValueError):
    """A setting has a value that it cannot have; the message names both."""


class Settings(BaseSettings):
    """The environment gives a setting as RELATED_PAPERS_<NAME>; a command-line option wins."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    model: Path = Field(
        Path("data/model"), description="The model folder that `train` wrote, or one version in it"
    )
    host: str = Field("127.0.0.1", description="The address to listen on; 0.0.0.0 for every one")
    port: int = Field(50051, ge=0, le=65535, description="The gRPC port; 0 picks a free one")
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
        16, ge=0, description="The bound of the cache inside the process, in MB"
    )
    max_message_bytes: int = Field(
        4 * 1024 * 1024, ge=1024, description="The longest request that is read, in bytes"
    )
    drain_seconds: float = Field(
        10.0, ge=0, le=600, description="How long calls in flight may take when the service stops"
    )


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
        raise SettingsError(f"{source} is {first['input']!r}: {first['msg']}.") from error
