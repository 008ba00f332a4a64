"""For those who run the service: whether it lives, whether it serves, and what it counts."""

from collections.abc import Callable, Iterator

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.metrics import CONTENT_TYPE, Metrics

PROBES = frozenset({"/healthz", "/readyz"})
"""What an orchestrator asks under any host name; they tell nothing else."""

_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def routes(metrics: Metrics, stopping: Callable[[], bool]) -> Iterator[Route]:
    """/healthz, /readyz, and /metrics in the format of Prometheus."""

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("alive\n", headers=_HEADERS)

    async def readyz(_request: Request) -> Response:
        if stopping():
            return PlainTextResponse("stopping\n", 503, _HEADERS)
        return PlainTextResponse("serving\n", headers=_HEADERS)

    async def counted(_request: Request) -> Response:
        return Response(await metrics.text(), headers={**_HEADERS, "content-type": CONTENT_TYPE})

    yield Route("/healthz", healthz)
    yield Route("/readyz", readyz)
    yield Route("/metrics", counted)
