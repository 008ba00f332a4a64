"""Serves as a worker process does.

Standard input: the settings as one line of JSON, then nothing until the supervisor is gone.
Standard output: one line of JSON when it serves, with the folder of the version,
`{"port": 50051, "web_port": 8080, "model": "data/model/1a2b..."}`, or `{"error": "..."}`.
Ends after draining on SIGTERM, SIGINT, or the end of its input.
"""

import gc
import json
import os
import sys
from concurrent.futures import Future
from pathlib import Path

import uvloop

from models.manifest import ArtifactError
from service.application import Application, StartError
from service.child import stopping, told
from service.settings import Settings


def serve(checked: "Future[Path] | None") -> int:
    """Serve, and return the exit code. checked: the folder of the model's version, once its files
    are known to be whole; None to check them here."""
    settings = told()
    if settings is None:
        return 0
    try:
        if checked:
            settings = settings.model_copy(update={"model": checked.result()})
        uvloop.run(_serve(settings, verify=checked is None))
    except (ArtifactError, StartError) as error:
        _report(error=str(error))
        return 1
    return 0


async def _serve(settings: Settings, *, verify: bool) -> None:
    application = Application(settings, verify=verify)
    gc.freeze()  # what is loaded stays: the collector need not look through it again and again
    with stopping() as stop:
        await application.start()
        model = application.core.catalog.serving.artifact.folder
        _report(port=application.port, web_port=application.web_port, model=str(model))
        await stop.wait()
    await application.stop()


def _report(**fields: object) -> None:
    os.write(sys.stdout.fileno(), json.dumps(fields).encode() + b"\n")
