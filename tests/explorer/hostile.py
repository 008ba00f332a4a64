"""A corpus that wants to run scripts, to lead readers away, and to break a layout."""

import json
import os
from pathlib import Path

from tests.serving import trained_once

MARK = "hostile_script_ran"
"""What every script in the corpus would set on `window`."""

TEXTS = [
    f"<script>window.{MARK}=1</script>",
    f"</title><script>window.{MARK}=1</script>",
    f'"><img src=x onerror="window.{MARK}=1">',
    f"'><svg onload=window.{MARK}=1>",
    f"<style>body{{display:none}}</style><a href='javascript:window.{MARK}=1'>x</a>",
    f"{{{{ cycler.__init__.__globals__ }}}} {{% raw %}} ${{window.{MARK}=1}} {{# }}}}",
    f"javascript:window.{MARK}=1",
    "<!-- <base href=//evil.example> <meta http-equiv=refresh content=0;url=//evil.example>",
    "<iframe srcdoc='<script>parent.hostile_script_ran=1</script>'></iframe> </main></body></html>",
    "<form action=//evil.example><input name=q></form><textarea><select><plaintext>",
    r"On $\mathcal{O}(n^2)$ and \href{javascript:alert(1)}{\textbf{bounds}} of $$\sum_{i<j} x_i$$",
    "&lt;b&gt; &amp;amp; &#0; &#x110000; &quot;&apos; &notanentity;",
    "🧑🏽‍🚀🏳️‍🌈👩‍👩‍👧‍👦 emoji " + "🧬" * 200,
    "مقالة عن الشبكات العصبية \u202e txet desrever \u202c والتعلم العميق",
    "Z̸̨͇͔̣͔̾́̈́͋a̵͉̽̾l̶̛̗͇̍g̵̭̍o̸͎͒ " + "e" + "\u0301" * 500,
    "x" * 10_000,
    "長い" * 5_000,
    "https://evil.example/" + "a/" * 2_000,
    "word " * 2_000,
    " \u00a0\u200b\ufeff\u2028\u2029 ",
]

IDS = [
    f"javascript:window.{MARK}=1",
    f"data:text/html,<script>window.{MARK}=1</script>",
    f"JaVaScRiPt://%0aalert(1)//{MARK}",
    "//evil.example/a",
    "\\\\evil.example\\b",
    "https://evil.example/c?d=e&f=g#h",
    f'"onmouseover="window.{MARK}=1',
    "<script>i</script>",
    ".",
    "..",
    "../../etc/passwd",
    "a/./b",
    "a//b/",
    "/",
    "a%2Fb%00%zz",
    "a?b=c#d&e;f",
    "10.1234/<b>&\"'",
    "日本語/🧬/שלום",
    "{{7*7}}{%x%}",
    "y" * 1_024,
]


def papers() -> list[dict[str, object]]:
    """A paper for each text and id; they share a subject and citations, so they are related."""
    found: list[dict[str, object]] = []
    for number, (paper_id, text) in enumerate(zip(IDS, TEXTS, strict=True)):
        found.append(
            {
                "id": paper_id,
                "title": text if number % 2 else f"Hostile networks {text}",
                "abstract": f"Hostile networks learn graphs. {text}",
                "authors": [text[:2_000], "<b>Ann</b> O'Neil"] * (1 + number % 3),
                "venue": text[:2_000],
                "year": 2000 + number,
                "keywords": [text[:500], "hostile networks"],
                "references": IDS[:number][-6:],
            }
        )
    # Something to find besides, or words that every paper has would mean nothing.
    return [*found, *map(_plain, range(20))]


def _plain(number: int) -> dict[str, object]:
    return {
        "id": f"plain-{number}",
        "title": f"Plain paper {number} on soil, rivers and hostile weather",
        "abstract": "Measures rain over fields, and says what it carries into rivers.",
        "authors": ["Bo Rivers"],
        "venue": "Soil",
        "year": 2000 + number,
        "references": [f"plain-{other}" for other in range(number)][-5:],
    }


def model(shared: Path) -> Path:
    """A model of the corpus, in the folder that the processes of one test run share."""
    corpus = shared / f"hostile-{os.getpid()}.jsonl"
    corpus.write_text("".join(json.dumps(paper) + "\n" for paper in papers()), encoding="utf-8")
    return trained_once(shared / "hostile-model", corpus)
