"""The server of the explorer, which answers the page."""

from __future__ import annotations

import socket
import threading
import webbrowser
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from unwarp._version import __version__
from unwarp.app.explorer.access import Access, check_token
from unwarp.app.explorer.exploration import Exploration
from unwarp.app.explorer.limits import BodyLimit, CallQueue, Refusal
from unwarp.app.explorer.routes import add_routes
from unwarp.errors import ConfigError, UnwarpError
from unwarp.training.interrupts import terminate_as_interrupt

PAGE = Path(__file__).parent / "page"
"""The page with its scripts, built from the folder `explorer`."""

PLACEHOLDER = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Unwarp</title>
<p>The page of the explorer is not built. Its data are under <code>/v1</code>.</p></html>"""
"""The page of a checkout in which the explorer is not built."""

LOOPBACK = "127.0.0.1"
"""Address of this machine alone."""

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
    from fastapi.responses import FileResponse, HTMLResponse
    from fastapi.staticfiles import StaticFiles

    has_page = (PAGE / "index.html").is_file()
    if has_page:  # only below this address: elsewhere an unknown method is to be refused as such
        app.mount("/assets", StaticFiles(directory=PAGE / "assets"))

    async def page() -> Any:
        return FileResponse(PAGE / "index.html") if has_page else HTMLResponse(PLACEHOLDER)

    app.add_api_route("/", page, methods=["GET", "HEAD"], include_in_schema=False)


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
        text = str(error.detail)
        if error.status_code == 404:
            text = f"{request.url.path[:200]!r} is no address of this server; see /v1/openapi.json"
        return failure(error.status_code, text, error.headers)

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
        listener = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"port={port} of {host} cannot be used: {reason.lower()}; choose another port"
        ) from error
    # asyncio sends small answers at once only if the protocol is named; else they wait 40 ms
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, listener.detach())


def serve(
    exploration: Exploration,
    *,
    host: str = LOOPBACK,
    port: int = 0,
    token: str | None = None,
    has_browser: bool = True,
    on_address: Callable[[str], None] = print,
) -> None:
    """Answer the page until the process is interrupted.

    Args:
        exploration: The model and its collection.
        host: Address to listen on; others than loopback need a token.
        port: Port; 0 for any that is free.
        token: The token; None to make one.
        has_browser: Whether to open the page in a browser.
        on_address: Function that shows the address of the page, token included.

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
    on_address(address)
    timer = threading.Timer(0.5, webbrowser.open, (address,))
    try:
        exploration.tsne.begin()
        if has_browser:
            timer.start()
        with terminate_as_interrupt():
            Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        timer.cancel()
        exploration.tsne.close()
        queue.close()
        listener.close()
