"""The state server: whether it keeps what it is given, checked when the service starts."""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from redis import RedisError
from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError, ResponseError

from service.connection import connect
from service.keys import STATE_FORMAT, STATE_FORMAT_KEY

_TIMEOUT_SECONDS = 2.0
_OLDEST_VERSION = (7, 0)

log = structlog.get_logger(__name__)


class StateFormatError(RuntimeError):
    """The state was written by a newer release or something else; this one would damage it."""


@dataclass(frozen=True)
class StateReport:
    """What the check found.

    version: of the server, in terms of Redis; empty when it was not reachable.
    warnings: one plain sentence each.
    losses: those of the warnings that say how accepted events could be lost, or that nobody can
        tell. A service that promises to keep them should not start on such a server.
    """

    reachable: bool
    version: str
    warnings: tuple[str, ...]
    losses: tuple[str, ...] = ()


async def check_state(url: str) -> StateReport:
    """Report how the state server could lose state, and mark its data with our format.

    Nothing fails because the server is away: related papers need no state. Warnings are logged too.
    Raises StateFormatError, and ValueError for a URL that is none.
    """
    client = connect(url, timeout_seconds=_TIMEOUT_SECONDS)
    try:
        report = await inspect_state(client)
    except (RedisError, OSError, TimeoutError) as error:
        away = f"The state server does not answer ({error}); related papers are served without it."
        report = StateReport(False, "", (away,))
    finally:
        await client.aclose()
    for warning in report.warnings:
        log.warning(warning)
    return report


async def inspect_state(client: Redis) -> StateReport:
    """As `check_state`, of a server that answers; logs nothing.

    Raises RedisError and OSError: also while the server loads its data, when it cannot tell.
    """
    info = await client.info()
    if info["loading"]:  # meanwhile it says that it has no append-only file
        raise BusyLoadingError("it is loading its data")
    losses = [*_losses(info), *await _sync_losses(client, info)]
    warnings = [*_age(info), *losses, *await _mark(client)]
    return StateReport(True, str(info["redis_version"]), tuple(warnings), tuple(losses))


def _age(info: Mapping[str, object]) -> list[str]:
    version = str(info["redis_version"])
    if tuple(int(part) for part in version.split(".")[:2]) >= _OLDEST_VERSION:
        return []
    return [f"The state server is Redis {version}; 7.0 is the oldest that is tested."]


def _losses(info: Mapping[str, object]) -> list[str]:
    """What INFO says; managed servers forbid CONFIG, but none forbids INFO."""
    warnings = []
    if info["role"] != "master":
        warnings.append("The state server is a replica, which refuses writes; name the primary.")
    if not info["aof_enabled"]:
        warnings.append("The state server has no append-only file: a crash loses recent writes.")
    elif info["aof_last_write_status"] != "ok":
        warnings.append("The state server cannot write its append-only file; is its disk full?")
    if (policy := info["maxmemory_policy"]) != "noeviction":
        warnings.append(f"The state server evicts state when memory fills ({policy}).")
    return warnings


async def _sync_losses(client: Redis, info: Mapping[str, object]) -> list[str]:
    """What CONFIG alone says: when the file is synced."""
    if not info["aof_enabled"]:
        return []
    try:
        found = await client.config_get(
            "*appendfsync*"
        )  # one pattern: before 7.0 no server took two
    except ResponseError:
        must = "appendfsync must be always, and no-appendfsync-on-rewrite no"
        return [f"The state server does not say how it syncs its file; {must}."]
    losses = []
    if (policy := found.get("appendfsync")) != "always":
        losses.append(
            f"The state server syncs its file '{policy}', not 'always': a power cut loses writes."
        )
    if found.get("no-appendfsync-on-rewrite") != "no":
        losses.append(
            "The state server syncs nothing while it writes a file anew "
            "(no-appendfsync-on-rewrite): a power cut then loses writes."
        )
    return losses


async def _mark(client: Redis) -> list[str]:
    try:
        await client.set(STATE_FORMAT_KEY, STATE_FORMAT, nx=True)
        found = await client.get(STATE_FORMAT_KEY)
    except ResponseError as error:
        return [f"The state server refuses a write ({error})."]
    if found is not None and not found.isdigit():
        raise StateFormatError(
            f"{STATE_FORMAT_KEY} holds {found!r} on the state server, which is no format of ours: "
            "something else writes there, so name another server"
        )
    if found is not None and int(found) > STATE_FORMAT:
        raise StateFormatError(
            f"the state has format {int(found)} and this release knows {STATE_FORMAT}: "
            "it was written by a newer release, so upgrade this one"
        )
    return []
