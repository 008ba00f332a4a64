"""Send events as they come, one JSON object a line: `... | python stream.py ADDRESS`.

An event has the fields of `relatedpapers.v1.Event`, here broken to fit:

    {"id": "7f3a", "event_time": "2026-11-22T08:30:00Z", "reader_id": "ada",
     "paper_id": "10.1145/3292500.3330701", "type": "save"}

With an id of its own and its time in each line the whole input can be sent again, however much
later, and nothing counts twice.
"""

import sys
from collections.abc import Iterator

from google.protobuf.json_format import Parse, ParseError

from relatedpapers import Client, Event


def events() -> Iterator[Event]:
    """The events of standard input; a line that is none is reported and left out."""
    for number, line in enumerate(sys.stdin, start=1):
        try:
            yield Parse(line, Event())
        except ParseError as error:
            print(f"line {number} is no event: {error}", file=sys.stderr)


(address,) = sys.argv[1:]
settled = refused = 0
with Client(address) as client:
    for acknowledgement in client.stream_feedback(events()):
        settled += acknowledgement.settled
        refused += len(acknowledgement.failures)
        for failure in acknowledgement.failures:
            print(f"{failure.event.id}: {failure.error}", file=sys.stderr)
print(f"{settled - refused} stored, {refused} refused")
