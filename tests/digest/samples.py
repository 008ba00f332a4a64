"""Subscriptions, links and digests for tests of mails."""

from pathlib import Path

from service.digest.links import Links
from service.digest.mail import Entry, Issue
from service.digest.subscriptions import (
    Content,
    ContentKind,
    Frequency,
    Status,
    Subscription,
    subscription_id,
)
from service.secrets import SigningKeys

SENDER = "Related Papers <digest@papers.example>"
AT_MS = 1_732_261_000_000
CLEAN = Entry(
    paper_id="10.1145/62546.62549",
    title="Viewstamped Replication: A New Primary Copy Method",
    authors=["Brian M. Oki", "Barbara Liskov"],
    abstract="It replicates a service by a primary and backups, cf. Fig. 2 of B. Liskov et al. and "
    "others. It survives failures of less than 49.9 % of them! Nobody reads a third sentence.",
    why="31 readers saved it this week",
    url="https://papers.example/papers/10.1145/62546.62549",
)


def links(folder: Path, public_url: str = "https://papers.example") -> Links:
    """With keys in a folder."""
    return Links.open(public_url, SigningKeys.open(folder / "signing.keys"), folder)


def subscription(found: Links, address: str = "ada+papers@example.org") -> Subscription:
    """An active one to trending papers, from Monday to Friday at 8 in Berlin."""
    return Subscription(
        id=subscription_id(found.key, address),
        address=address,
        time_zone="Europe/Berlin",
        frequency=Frequency.WEEKDAYS,
        weekday=0,
        hour=8,
        content=Content(ContentKind.TRENDING, window="week"),
        status=Status.ACTIVE,
        created_ms=AT_MS - 1_000,
        confirmed_ms=AT_MS - 500,
        revision=AT_MS - 500,
    )


def issue(*entries: Entry, heading: str = "Trending this week") -> Issue:
    """A digest of these papers, or of one."""
    return Issue(AT_MS, heading, entries or (CLEAN,))
