"""A running server of the explorer, for tests that open its page."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np

TOKEN = "token-of-the-tests"
HOST = "127.0.0.1"
MAX_SECONDS_TO_START = 20


@contextmanager
def explorer(folder: Path, data: Path | None = None) -> Iterator[str]:
    """The address, token included, of a server that explores a model."""
    from uvicorn import Config, Server

    from unwarp.app.explorer.limits import CallQueue
    from unwarp.app.explorer.opening import open_exploration
    from unwarp.app.explorer.server import listen, make_app

    exploration = open_exploration(folder, None if data is None else str(data), device="cpu")
    queue, listener = CallQueue(), listen(HOST, 0)
    app = make_app(exploration, HOST, TOKEN, queue)
    server = Server(Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + MAX_SECONDS_TO_START
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.started
    yield f"http://{HOST}:{listener.getsockname()[1]}/?token={TOKEN}"
    server.should_exit = True
    thread.join(MAX_SECONDS_TO_START)
    exploration.tsne.close()
    queue.close()
    listener.close()


def answer(address: str, path: str) -> bytes:
    """The bytes that a server sends at a path under /v1."""
    request = Request(f"{address.split('?')[0]}v1/{path}")
    request.add_header("Authorization", f"Bearer {TOKEN}")
    with urlopen(request) as response:
        return bytes(response.read())


def points(address: str) -> np.ndarray[Any, Any]:
    """The points (N, 2) of the map of principal components."""
    return np.frombuffer(answer(address, "points?map=pca"), "<f4").reshape(-1, 2)
