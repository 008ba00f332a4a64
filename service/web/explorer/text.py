"""Long texts, for people."""

import re

SHORT = 600
"""Characters of an abstract that are shown at once."""

_SENTENCE_END = re.compile(r"[.!?\u3002\uff1f\uff01]\s")


def fold(text: str, short: int = SHORT) -> tuple[str, str]:
    """What to show at once, and the rest: empty unless it is worth a click.

    Cut after a sentence, else between words, else anywhere.
    """
    if len(text) <= short * 3 // 2:
        return text, ""
    ends = [match.end() for match in _SENTENCE_END.finditer(text, 0, short)]
    at = ends[-1] if ends and ends[-1] > short // 3 else text.rfind(" ", 0, short) + 1 or short
    return text[:at].rstrip(), text[at:].lstrip()
