"""Access to the server: token, addresses and headers."""

from __future__ import annotations

import ipaddress
import secrets
from typing import Any
from urllib.parse import urlsplit

from unwarp.app.explorer.limits import Message, refuse
from unwarp.errors import ConfigError

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Content security policy: the page loads nothing from any other host."""

HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""Headers of every answer."""

API = "/v1"
"""Path of everything that needs the token."""

BEARER = b"bearer "
"""Beginning of the header with the token."""

MIN_TOKEN = 16
"""Least number of characters of a token where other machines can reach the server."""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone.

    Args:
        host: A name or an address.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "lab.org")]
    [True, True, True, False, False]
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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


class Access:
    """An application that only lets requests with the token through.

    A page of another origin, or a name that was made to point to this machine, is refused.

    Args:
        app: The application behind it.
        host: The address that the server listens on.
        token: The token.
    """

    def __init__(self, app: Any, host: str, token: str) -> None:
        self.app, self.host, self.token = app, host, token.encode()

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """Answer a request.

        Args:
            scope: Facts about the request.
            receive: Function that waits for a part of it.
            send: Function that sends a part of the answer.
        """
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # the server has no web sockets
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = list(HEADERS)
        if scope["path"].startswith(API):
            headers.append((b"cache-control", b"no-store"))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *headers]}
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            await self.app(scope, receive, send_with_headers)
            return
        status, text = refusal
        scheme = ((b"www-authenticate", b"Bearer"),) if status == 401 else ()
        await refuse(send_with_headers, status, text, scheme)

    def _refusal(self, scope: Message) -> tuple[int, str] | None:
        """Status and reason if a request is refused; None if it is not."""
        fields: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in fields and name in (b"host", b"origin", b"authorization"):
                return 400, f"the header {name.decode()} is there twice; send it once"
            fields[name] = value
        host = fields.get(b"host", b"").decode("latin-1").lower()
        if not self._is_own(host):
            return 403, f"host {host!r} is not this server; open the address that it printed"
        origin = fields.get(b"origin")
        if origin is not None and _netloc(origin.decode("latin-1")) != host:
            return 403, f"origin {origin.decode('latin-1')!r} is not this server; open its own page"
        is_api = scope["path"] == API or scope["path"].startswith(f"{API}/")
        if is_api and not self._has_token(fields.get(b"authorization", b"")):
            return 401, "the token is missing or wrong; open the address that the server printed"
        return None

    def _is_own(self, host: str) -> bool:
        """Whether the header `Host` names this server."""
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        if name is None:
            return False
        is_any = self.host in ("0.0.0.0", "::", "")
        return is_loopback(name) or name == self.host.lower() or is_any

    def _has_token(self, field: bytes) -> bool:
        """Whether the header `Authorization` holds the token."""
        scheme, token = field[: len(BEARER)].lower(), field[len(BEARER) :].strip()
        return scheme == BEARER and secrets.compare_digest(token, self.token)


def _netloc(origin: str) -> str | None:
    """Host and port of an origin; None if it is none."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
