"""The HTTP server of the web port, inside the worker's own event loop."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from service.listening import ListenError
from service.web.limits import LimitedProtocol


class _Server(uvicorn.Server):
    """Leaves the signals to the worker, and says when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serving = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: the worker has its own."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets)
        self.serving.set()


class WebServer:
    """Serves an ASGI application on a socket of `listen`, which it closes."""

    def __init__(self, application: Any, listening: socket.socket) -> None:
        self._socket = listening
        self.port: int = listening.getsockname()[1]
        config = uvicorn.Config(
            application,
            http=LimitedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",  # what happens to a request is logged and counted by us
            access_log=False,
            proxy_headers=False,  # whom to believe is decided in service.access
            server_header=False,
            timeout_graceful_shutdown=1,  # calls under way were waited for: this is for pages
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to answer."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        await self._server.serving.wait()

    async def stop(self) -> None:
        """Let the answers under way finish, and close."""
        self._server.should_exit = True
        if self._task:
            await self._task
        self._socket.close()


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections from now on; port 0 picks a free one. Raises ListenError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends at once (TCP_NODELAY) only on sockets that say that they speak TCP. Head and
    # body leave in two writes, and the second would wait 40 ms until the first is acknowledged.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise ListenError(f"{host}:{port}", "--web-port") from error
    listening.setblocking(False)
    return listening
