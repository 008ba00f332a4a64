"""A worker process: `python -m service.worker [MODEL]`, as the supervisor starts it.

MODEL is that of the settings, which come later: its files are checked while the service is loaded.
What else it is told, and what it tells: service/serving.py.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from models.verification import verified
from service.logs import configure


def main() -> int:
    """Serve, and return the exit code."""
    configure()
    with ThreadPoolExecutor(1) as beside:
        checked = beside.submit(verified, Path(sys.argv[1])) if sys.argv[1:] else None
        from service.serving import serve  # noqa: PLC0415 - it takes a second

        return serve(checked)


if __name__ == "__main__":
    sys.exit(main())
