"""Ids of feeds and entries (RFC 4287, 4.2.6): for ever the same, and nobody else's.

They are UUIDs made of names (RFC 9562, version 5), so every server and every release gives the
same, and none of them is an address that may change.
"""

from urllib.parse import urlsplit
from uuid import UUID, uuid5

from models.identifiers import canonical

_PAPERS = UUID("5d0b2f0e-5a4c-4d0d-9f6c-3a9a1c7f2b61")
_FEEDS = UUID("c2b6a4de-0c1b-4a53-8f0f-0e7f2f6a8d94")
_WORLDWIDE = ("doi:", "arxiv:", "http://", "https://")


def paper_urn(paper_id: str, public_url: str) -> str:
    """The id of a paper, in whatever feed it stands.

    One that the whole world names alike (a DOI, an arXiv id, a URL) has one id everywhere. Other
    ids are this site's own, and count together with the host name of its public URL.
    """
    name = canonical(paper_id)
    return _urn(_PAPERS, name if name.startswith(_WORLDWIDE) else f"{_host(public_url)} {name}")


def feed_urn(path: str, public_url: str) -> str:
    """The id of the feed whose list has this path and query, by the site's host name."""
    return _urn(_FEEDS, f"{_host(public_url)} {path}")


def _host(public_url: str) -> str:
    """A site's host name: it outlives its scheme and its port."""
    return urlsplit(public_url).hostname or ""


def _urn(namespace: UUID, name: str) -> str:
    return uuid5(namespace, name).urn
