"""Corpora that lack something, or have too much of it, and that must train all the same."""

from collections.abc import Callable

from tests.models.corpora import Paper, two_fields


def without(*fields: str) -> list[Paper]:
    """The two fields without these of their papers' fields."""
    return [
        {name: value for name, value in paper.items() if name not in fields}
        for paper in two_fields()
    ]


def changed(**values: object) -> list[Paper]:
    """The two fields with the same value everywhere."""
    return [paper | values for paper in two_fields()]


def one_citation() -> list[Paper]:
    papers = without("references", "external_references")
    return [papers[0] | {"references": [papers[1]["id"]]}, *papers[1:]]


def everyone_cites_one() -> list[Paper]:
    first, *others = two_fields()
    return [first] + [paper | {"references": [first["id"]]} for paper in others]


def mutual_references() -> list[Paper]:
    papers = two_fields()
    cited_by: dict[str, list[str]] = {paper["id"]: [] for paper in papers}
    for paper in papers:
        for reference in paper["references"]:
            cited_by[reference].append(paper["id"])
    return [paper | {"references": paper["references"] + cited_by[paper["id"]]} for paper in papers]


def with_odd_texts() -> list[Paper]:
    odd = [
        "\ud800 lone \udfff",
        "مقدمة في الرسوم البيانية",
        "\u202eright to left\u202c",
        "control \x00\x1b[31m characters \x7f",
        "🧬" * 50,
        "x" * 5_000,
        "  ",
        "the of and",
    ]
    papers = two_fields()
    for at, text in enumerate(odd * 2):
        papers[at] |= {"title": text, "keywords": [text], "authors": [text, ""], "venue": text}
    return papers


def with_ten_megabytes() -> list[Paper]:
    papers = two_fields()
    papers[3] |= {"abstract": " ".join(f"{at % 50_000:0100}" for at in range(100_000))}
    return papers


ODD: dict[str, Callable[[], list[Paper]]] = {
    "one paper": lambda: two_fields()[:1],
    "one paper that is an id": lambda: [{"id": "alone"}],
    "two papers": lambda: two_fields()[:2],
    "ids alone": lambda: [{"id": f"p{at}"} for at in range(40)],
    "citations alone": lambda: without("title", "abstract", "keywords", "authors", "venue"),
    "citations and years without dates": lambda: without("title", "abstract", "keywords", "year"),
    "no titles": lambda: without("title"),
    "no abstracts": lambda: without("abstract"),
    "no years": lambda: without("year"),
    "one year": lambda: changed(year=2020),
    "no citations": lambda: without("references", "external_references"),
    "text alone": lambda: without("references", "external_references", "year", "authors"),
    "external references alone": lambda: without("references", "title", "abstract", "keywords"),
    "one text everywhere": lambda: changed(title="Graph drawing", abstract="", keywords=[]),
    "words of grammar alone": lambda: changed(title="The and of", abstract="", keywords=[]),
    "one citation": one_citation,
    "everyone cites one": everyone_cites_one,
    "mutual references": mutual_references,
    "odd texts": with_odd_texts,
    "10 MB in one abstract": with_ten_megabytes,
}
