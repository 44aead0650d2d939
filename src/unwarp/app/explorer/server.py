"""The server of the explorer: opens a run or a model, and answers the page."""

from __future__ import annotations

import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from unwarp._version import __version__
from unwarp.app.explorer.access import Access, is_loopback
from unwarp.app.explorer.collection import Collection, embed_source, empty_collection
from unwarp.app.explorer.exploration import Exploration
from unwarp.app.explorer.limits import BodyLimit, CallQueue, Refusal
from unwarp.app.explorer.routes import add_routes
from unwarp.app.explorer.views import Viewer
from unwarp.app.job import JOB_NAME, load_job
from unwarp.app.parts import open_source
from unwarp.errors import ConfigError, DataError, UnwarpError
from unwarp.estimators.unwarper import Unwarper
from unwarp.storage import expand, recover_folder

PAGE = Path(__file__).parent / "page"
"""The page with its scripts, built from the folder `explorer`."""

PLACEHOLDER = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Unwarp</title>
<p>The page of the explorer is not built. Its data are under <code>/v1</code>.</p></html>"""
"""The page of a checkout in which the explorer is not built."""

LOOPBACK, MIN_TOKEN = "127.0.0.1", 16
"""Address of this machine alone, and least number of characters of a token for other addresses."""

MAX_CONNECTIONS, KEEP_ALIVE_SECONDS = 256, 15
"""Connections at a time, and time after which an idle one is closed."""

PACKAGES = ("fastapi", "uvicorn", "multipart")
"""Packages of the extra `explore`."""


def check_packages() -> None:
    """Refuse to go on without the packages of the extra.

    Raises:
        ConfigError: One of them is missing.
    """
    absent = [name for name in PACKAGES if find_spec(name) is None]
    if absent:
        raise ConfigError(
            f"the explorer needs the package {absent[0]}; install it with "
            "pip install 'unwarp[explore]'"
        )


def open_exploration(
    folder: str | Path,
    data: str | None = None,
    device: str = "auto",
    on_message: Callable[[str], None] = lambda line: None,
) -> Exploration:
    """A model with its collection, embedded.

    Args:
        folder: A run folder, or the folder of a model.
        data: Paths, each in a line of its own, or the name of a data set; None for the data of the
            run. A model without a run then has no data, but sliders.
        device: Device that embeds: `auto`, `cpu`, `cuda` or `mps`.
        on_message: Function that shows a line to people.

    Raises:
        CheckpointError: The folder holds no model.
        ConfigError: The model is neither of images nor of series.
        DataError: The data cannot be read, or do not fit the model.
    """
    folder = expand(folder)
    recover_folder(folder / "model")
    is_run = (folder / "model").is_dir()
    unwarper = Unwarper.load(folder / "model" if is_run else folder).set_params(device=device)
    viewer = Viewer(unwarper)
    has_job = is_run and (folder / JOB_NAME).is_file()
    collection, notes = _open_collection(viewer, folder if has_job else None, data, on_message)
    exploration = Exploration(
        viewer, collection, folder.resolve().name, folder if has_job else None, notes
    )
    on_message("computing neighbours and principal components")
    exploration.prepare()
    return exploration


def _open_collection(
    viewer: Viewer, run: Path | None, data: str | None, on_message: Callable[[str], None]
) -> tuple[Collection, tuple[str, ...]]:
    """The collection of a run or of other data, and notes about it."""
    name = data
    if name is None and run is not None:
        name = load_job(run).source
    if name is None:
        return empty_collection(viewer), (
            "The model has no data: only sliders and own samples work. Give --data SOURCE to see "
            "a collection.",
        )
    try:
        source = open_source(name, estimator=viewer.unwarper)
    except (DataError, OSError) as error:
        if data is not None:
            raise
        raise DataError(
            f"the data of the run cannot be read: {error}; give --data SOURCE, or open "
            f"{run}/model for sliders without data"
        ) from error
    on_message(f"{source.name}: {source.description or f'{len(source):,} samples'}")
    return embed_source(viewer, source, on_message), ()


def make_app(
    exploration: Exploration, host: str, token: str, queue: CallQueue | None = None
) -> Any:
    """The application that answers requests, by the protocol ASGI.

    Args:
        exploration: The model and its collection.
        host: Address that the server listens on.
        token: The token.
        queue: The queue of calculations; None for a new one.

    Returns:
        The application, with checks of access and limits of bodies around it.

    Raises:
        ConfigError: A package of the extra `explore` is missing.
    """
    check_packages()
    from fastapi import FastAPI

    app = FastAPI(
        title="Unwarp explorer",
        version=__version__,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    add_routes(app, exploration, CallQueue() if queue is None else queue)
    _add_errors(app)
    _add_page(app)
    return Access(BodyLimit(app), host, token)


def _add_page(app: Any) -> None:
    """Add the page with its scripts, or a placeholder where it is not built."""
    from fastapi.responses import HTMLResponse
    from fastapi.staticfiles import StaticFiles

    if (PAGE / "index.html").is_file():
        app.mount("/", StaticFiles(directory=PAGE, html=True))
        return

    async def placeholder() -> Any:
        return HTMLResponse(PLACEHOLDER)

    app.add_api_route("/", placeholder, include_in_schema=False)


def _add_errors(app: Any) -> None:
    """Let all errors be answers of the form `{"error": text}`."""
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse
    from starlette.exceptions import HTTPException

    def failure(status: int, text: str, headers: Any = None) -> Any:
        return JSONResponse({"error": text}, status_code=status, headers=headers)

    async def refused(request: Any, error: Refusal) -> Any:
        headers = {"retry-after": "1"} if error.status in (429, 503) else None
        return failure(error.status, error.text, headers)

    async def mistaken(request: Any, error: UnwarpError) -> Any:
        return failure(422, " ".join(str(error).split()))

    async def invalid(request: Any, error: RequestValidationError) -> Any:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:]) or "the body"
        return failure(422, f"{place[:200]} cannot be used: {first['msg']}")

    async def refused_by_framework(request: Any, error: HTTPException) -> Any:
        return failure(error.status_code, str(error.detail), error.headers)

    async def broken(request: Any, error: Exception) -> Any:
        return failure(500, f"the server made a mistake ({type(error).__name__}); please report it")

    for error_type, handler in {
        Refusal: refused,
        UnwarpError: mistaken,
        RequestValidationError: invalid,
        HTTPException: refused_by_framework,
        Exception: broken,
    }.items():
        app.add_exception_handler(error_type, handler)


def check_token(host: str, token: str | None) -> str:
    """The token of a server.

    Args:
        host: Address that the server listens on.
        token: The user's token; None to make one, which is possible on loopback alone.

    Raises:
        ConfigError: Other machines can reach the server, and there is no long token.
    """
    if token is not None and not (token.isascii() and token.isprintable() and " " not in token):
        raise ConfigError("token has characters other than letters, digits and signs; change it")
    if is_loopback(host):
        if token == "":
            raise ConfigError("token is empty; leave it out to get one")
        return token or secrets.token_urlsafe(24)
    if token is None or len(token) < MIN_TOKEN:
        raise ConfigError(
            f"host={host!r} lets other machines reach the server; give a token of at least "
            f"{MIN_TOKEN} characters"
        )
    return token


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: The address.
        port: The port; 0 for any that is free.

    Raises:
        ConfigError: The address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"port={port} of {host} cannot be used: {reason.lower()}; choose another port"
        ) from error


def serve(
    exploration: Exploration,
    *,
    host: str = LOOPBACK,
    port: int = 0,
    token: str | None = None,
    has_browser: bool = True,
    on_message: Callable[[str], None] = print,
) -> None:
    """Answer the page until the process is interrupted.

    Args:
        exploration: The model and its collection.
        host: Address to listen on; others than loopback need a token.
        port: Port; 0 for any that is free.
        token: The token; None to make one.
        has_browser: Whether to open the page in a browser.
        on_message: Function that shows a line to people.

    Raises:
        ConfigError: The address cannot be used, a token is needed, or a package is missing.
    """
    check_packages()
    token = check_token(host, token)
    from uvicorn import Config, Server

    queue, listener = CallQueue(), listen(host, port)
    name = f"[{host}]" if ":" in host else host
    address = f"http://{name}:{listener.getsockname()[1]}/?token={token}"
    config = Config(
        make_app(exploration, host, token, queue),
        log_level="error",
        access_log=False,
        server_header=False,
        lifespan="off",
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=2,
    )
    on_message(f"open {address} (Ctrl-C ends the server)")
    timer = threading.Timer(0.5, webbrowser.open, (address,))
    if has_browser:
        timer.start()
    try:
        Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        timer.cancel()
        exploration.tsne.close()
        queue.close()
        listener.close()
