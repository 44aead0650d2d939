"""Limits of the server: a queue, bounds on time and bodies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

MAX_CALLS = 32
"""Calls that wait or are computed; more are refused."""

MAX_SECONDS = 30.0
"""Longest time of a call, and of the arrival of a body."""

MAX_BYTES = 16 << 20
"""Greatest size of a body."""

MAX_SAMPLES = 256
"""Greatest number of own samples in a body."""

Result = TypeVar("Result")
Message = dict[str, Any]


class Refusal(Exception):
    """An answer with an error instead of a result.

    Attributes:
        status: Status code of HTTP.
        text: One sentence: argument, value, mend.

    >>> Refusal(404, "no such sample").status
    404
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


class CallQueue:
    """Calculations in a thread, one after the other.

    Args:
        n_calls: Greatest number of calls that wait or are computed.
        seconds: Longest time of a call.

    >>> queue = CallQueue()
    >>> asyncio.run(queue.run(lambda: 2 + 2))
    4
    >>> queue.close()
    """

    def __init__(self, n_calls: int = MAX_CALLS, seconds: float = MAX_SECONDS) -> None:
        self.max_calls, self.seconds, self.n_calls = n_calls, seconds, 0
        # models are not safe for several threads
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="unwarp")

    async def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """The result of a function.

        Args:
            function: The function.
            arguments: Its arguments.

        Raises:
            Refusal: The queue is full (429), or the call took too long (503).
        """
        if self.n_calls >= self.max_calls:
            raise Refusal(429, f"{self.n_calls} calls are waiting already; try again later")
        self.n_calls += 1
        loop = asyncio.get_running_loop()
        future = self._executor.submit(function, *arguments)
        future.add_done_callback(lambda ended: self._forget(loop, ended))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self.seconds)
        except TimeoutError:
            raise Refusal(
                503, f"the call took longer than {self.seconds:g} s; send fewer or smaller samples"
            ) from None

    def _forget(self, loop: asyncio.AbstractEventLoop, future: Future[Any]) -> None:
        """Count a call no more once it has ended."""
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._leave)

    def _leave(self) -> None:
        self.n_calls -= 1

    def close(self) -> None:
        """End the thread after the running call."""
        self._executor.shutdown(wait=False, cancel_futures=True)


class BodyLimit:
    """An application that refuses large and slow bodies.

    Args:
        app: The application behind it; it receives bodies whole.
        n_bytes: Greatest size of a body.
        seconds: Longest time until a body is there.
    """

    def __init__(self, app: Any, n_bytes: int = MAX_BYTES, seconds: float = MAX_SECONDS) -> None:
        self.app, self.n_bytes, self.seconds = app, n_bytes, seconds

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """Answer a request.

        Args:
            scope: Facts about the request.
            receive: Function that waits for a part of it.
            send: Function that sends a part of the answer.
        """
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            body = await asyncio.wait_for(self._body(scope, receive), self.seconds)
        except TimeoutError:
            await refuse(send, 408, "the body did not arrive in time; send it again")
            return
        except Refusal as error:
            await refuse(send, error.status, error.text)
            return
        if body is None:  # the client has gone
            return
        parts = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return parts.pop() if parts else await receive()

        await self.app(scope, replay, send)

    async def _body(self, scope: Message, receive: Any) -> bytes | None:
        """The whole body; None if the client disconnects."""
        text = f"the body has more than {self.n_bytes >> 20} MB; send fewer or smaller samples"
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.n_bytes:
            raise Refusal(413, text)
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.n_bytes:
                raise Refusal(413, text)
            if not message.get("more_body", False):
                return b"".join(parts)


async def refuse(send: Any, status: int, text: str, headers: Any = ()) -> None:
    """Send an error as the answer.

    Args:
        send: Function that sends a part of the answer.
        status: Status code of HTTP.
        text: One sentence: argument, value, mend.
        headers: Further headers, pairs of bytes.
    """
    body = json.dumps({"error": text}).encode()
    fields = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
