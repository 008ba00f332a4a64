"""A paper of a list as an entry of a mail."""

from service.digest.contents import Candidate
from service.digest.links import Links
from service.digest.mail import Entry


def entry(candidate: Candidate, links: Links) -> Entry:
    """What a mail shows of a paper."""
    paper = candidate.paper
    return Entry(
        paper_id=paper.id,
        title=paper.title,
        authors=paper.authors,
        abstract=paper.abstract,
        why=candidate.why,
        url=links.paper(paper.id),
    )
