"""Print the papers that are related to one paper: python related.py ADDRESS PAPER_ID."""

import sys

from relatedpapers import Client

address, paper_id = sys.argv[1:]
with Client(address) as client:
    for result in client.list_related_papers(paper_ids=[paper_id], limit=5):
        print(f"{result.score:.2f}  {result.paper.title} ({result.paper.year})")
