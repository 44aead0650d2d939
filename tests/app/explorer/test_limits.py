"""Limits: the queue refuses what is too much, and bodies are bounded in size and time."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.app.explorer.client import Client
from unwarp.app.explorer.limits import BodyLimit, CallQueue, Refusal


async def echo(scope: object, receive: object, send: object) -> None:
    """An application that answers with the body."""
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})


def test_full_queue_refuses_calls() -> None:
    """The first calls are answered, one after the other; others are refused at once."""
    release, queue = threading.Event(), CallQueue(n_calls=3)
    running: list[int] = []

    def work(number: int) -> int:
        running.append(number)
        release.wait(10)
        return running.pop()  # the only one, since calls do not overlap

    async def flood() -> list[object]:
        tasks = [asyncio.ensure_future(queue.run(work, i)) for i in range(5)]
        await asyncio.sleep(0.05)
        release.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    results = asyncio.run(flood())
    queue.close()
    assert results[:3] == [0, 1, 2]
    assert [getattr(error, "status", None) for error in results[3:]] == [429, 429]


def test_queue_is_free_after_errors() -> None:
    """A call that fails leaves its place, and its error reaches the caller."""

    async def fail_and_work() -> int:
        queue = CallQueue(n_calls=1)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await queue.run(lambda: 1 // 0)
            await asyncio.sleep(0.01)
        result = await queue.run(lambda: 7)
        queue.close()
        return result

    assert asyncio.run(fail_and_work()) == 7


def test_slow_call_is_given_up() -> None:
    """The caller is answered in time; the place is free when the thread has ended."""

    async def wait() -> tuple[int, int, int]:
        queue, release = CallQueue(n_calls=1, seconds=0.05), threading.Event()
        with pytest.raises(Refusal) as slow:
            await queue.run(release.wait, 60)
        with pytest.raises(Refusal) as busy:
            await queue.run(lambda: 7)
        release.set()
        while queue.n_calls:
            await asyncio.sleep(0.01)
        queue.seconds = 60.0
        result = await queue.run(lambda: 7)
        queue.close()
        return slow.value.status, busy.value.status, result

    assert asyncio.run(wait()) == (503, 429, 7)


def test_large_bodies_are_refused() -> None:
    """The size is bounded, whether or not the header states it."""
    client = Client(BodyLimit(echo, n_bytes=8))
    assert client.post("/", b"12345678").body == b"12345678"
    assert client.post("/", b"123456789").status == 413
    assert client.post("/", b"1", content_length="9").status == 413


def test_slow_body_is_refused() -> None:
    """A client that does not finish its body does not keep its place."""
    sent: list[dict[str, object]] = []

    async def call() -> None:
        async def receive() -> dict[str, object]:
            await asyncio.sleep(0.03)
            return {"type": "http.request", "body": b"1", "more_body": True}

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        await BodyLimit(echo, seconds=0.1)({"type": "http", "headers": []}, receive, send)

    asyncio.run(call())
    assert sent[0]["status"] == 408


def test_lost_client_ends_the_call() -> None:
    """Nothing is sent to a client that has gone before its body was there."""
    sent: list[object] = []

    async def call() -> None:
        async def receive() -> dict[str, object]:
            return {"type": "http.disconnect"}

        async def send(message: object) -> None:
            sent.append(message)

        await BodyLimit(echo)({"type": "http", "headers": []}, receive, send)

    asyncio.run(call())
    assert not sent
