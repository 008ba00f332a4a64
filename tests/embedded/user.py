"""One command that uses the embedded servers, as a process: attaches, says so, and waits.

Standard output: a line of JSON with the URLs once attached, or with the error. It leaves when its
standard input ends. Ctrl-C makes it ask the state server once more, as a draining service would.
"""

import json
import sys
from pathlib import Path

import redis
import structlog

from service.embedded import EmbeddedServersError, Role, attach


def say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run one user of the folder that the command line names."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    folder, patience = Path(sys.argv[1]), float(sys.argv[2])
    try:
        with attach(folder, patience_seconds=patience) as urls:
            try:
                say(urls)
                sys.stdin.read()
            except KeyboardInterrupt:
                with redis.Redis.from_url(urls[Role.STATE]) as client:
                    say({"drained": "PONG" if client.ping() else ""})
    except EmbeddedServersError as error:
        say({"error": str(error)})


if __name__ == "__main__":
    main()
