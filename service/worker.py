"""A worker process: `python -m service.worker`, as the supervisor starts it.

Standard input: the settings as one line of JSON, then nothing until the supervisor is gone.
Standard output: one line of JSON when it serves, with the folder of the version,
`{"port": 50051, "web_port": 8080, "model": "data/model/1a2b..."}`, or `{"error": "..."}`.
Ends after draining on SIGTERM, SIGINT, or the end of its input.
"""

import asyncio
import gc
import json
import os
import sys

from service.application import Application, StartError
from service.child import stopping, told
from service.logs import configure
from service.settings import Settings


def main() -> int:
    """Serve, and return the exit code."""
    configure()
    settings = told()
    if settings is None:
        return 0
    try:
        asyncio.run(_serve(settings))
    except StartError as error:
        _report(error=str(error))
        return 1
    return 0


async def _serve(settings: Settings) -> None:
    application = Application(settings)
    gc.freeze()  # what is loaded stays: the collector need not look through it again and again
    with stopping() as stop:
        await application.start()
        model = application.core.catalog.serving.artifact.folder
        _report(port=application.port, web_port=application.web_port, model=str(model))
        await stop.wait()
    await application.stop()


def _report(**fields: object) -> None:
    os.write(sys.stdout.fileno(), json.dumps(fields).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
