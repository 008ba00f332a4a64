"""Papers as training lays them out, against what Protocol Buffers writes."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from models.corpus import SCHEMA
from models.layout import basic_papers
from relatedpapers.v1.paper_pb2 import Paper

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
papers = st.fixed_dictionaries(
    {
        "id": text,
        "title": text,
        "abstract": text,
        "authors": st.lists(text, max_size=4),
        "year": st.integers(0, 2100),
        "venue": text,
        "keywords": st.lists(text, max_size=2),
    }
)


def basic(paper: dict[str, object]) -> bytes:
    """The basic view of a paper; a year of 0 is unknown."""
    shown = {name: paper[name] for name in ("id", "title", "authors", "venue")}
    return Paper(**shown, year=paper["year"] or None).SerializeToString()  # type: ignore[arg-type]


@given(st.lists(papers, max_size=5))
def test_they_are_the_messages_of_the_basic_view(given_papers: list[dict[str, object]]) -> None:
    table = pa.Table.from_pylist(given_papers, schema=SCHEMA)
    assert basic_papers(table).to_pylist() == [basic(each) for each in given_papers]
    assert basic_papers(table.slice(1, 3)).to_pylist() == [
        basic(each) for each in given_papers[1:4]
    ]


def test_a_long_title() -> None:
    paper = dict.fromkeys(SCHEMA.names, "") | {"title": "x" * 3_000_000, "authors": [], "year": 1}
    table = pa.Table.from_pylist([paper | {"keywords": []}], schema=SCHEMA)
    assert basic_papers(table).to_pylist() == [basic(paper)]
