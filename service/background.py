"""A thread for what would hold up the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Background:
    """Runs longer computations one after the other beside the event loop.

    A call whose caller has gone before its turn never starts.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="background")
        self._calls: set[Future[Any]] = set()

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn."""
        return sum(not (call.running() or call.done()) for call in self._calls)

    async def run(
        self,
        function: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """What the function returns or raises."""
        call = self._thread.submit(function, *args, **kwargs)
        self._calls.add(call)
        try:
            return await asyncio.wrap_future(call)
        finally:
            self._calls.discard(call)

    def close(self) -> None:
        """Start no other call. One that runs is not waited for."""
        self._thread.shutdown(wait=False, cancel_futures=True)
