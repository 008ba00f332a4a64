"""Spellings of paper ids: a DOI, an arXiv id or a URL of either names one paper."""

import re

MAX_ID_CHARACTERS = 1_024
"""The longest id that training takes and a request may hold."""

_DOI = re.compile(
    r"^(?:doi:\s*|(?:https?://)?(?:(?:dx|www)\.)?doi\.org/)?(10\.\d{4,9}/\S+)$", re.IGNORECASE
)
_ARXIV_NUMBER = r"(\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?/\d{7})(?:v\d+)?"
_ARXIV = re.compile(
    rf"^(?:arxiv:\s*|(?:https?://)?(?:www\.|export\.)?arxiv\.org/(?:abs|pdf|html)/)?{_ARXIV_NUMBER}"
    r"(?:\.pdf)?/?$",
    re.IGNORECASE,
)
_ARXIV_DOI = re.compile(rf"^10\.48550/arxiv\.{_ARXIV_NUMBER}$", re.IGNORECASE)


def canonical(paper_id: str) -> str:
    """The one spelling shared by every spelling of a DOI or an arXiv id.

    >>> canonical("https://doi.org/10.1145/3292500") == canonical("doi:10.1145/3292500")
    True
    >>> canonical("arXiv:1706.03762v5")
    'arxiv:1706.03762'

    DOIs are compared without case (ISO 26324), arXiv ids without their version. An id that is
    neither comes back as it is.
    """
    paper_id = paper_id.strip()
    if doi := _DOI.match(paper_id):
        name = doi[1].lower()
        if arxiv := _ARXIV_DOI.match(name):
            return f"arxiv:{arxiv[1]}"
        return f"doi:{name}"
    if arxiv := _ARXIV.match(paper_id):
        return f"arxiv:{arxiv[1].lower()}"
    return paper_id
