"""A client of an application in the same process, without a network."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

TOKEN = "a-token-of-twenty-one"
HOST = "127.0.0.1:8000"


@dataclass(frozen=True)
class Answer:
    """Status, headers and body of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON, which knows no NaN."""

        def refuse(name: str) -> None:
            raise ValueError(f"{name} is no JSON")

        return json.loads(self.body, parse_constant=refuse)


@dataclass(frozen=True)
class Client:
    """Sends requests with the token to an application."""

    app: Any

    def get(self, path: str, **headers: str | None) -> Answer:
        """The answer to a request without a body."""
        return self.send("GET", path, b"", headers)

    def post(self, path: str, body: Any, **headers: str | None) -> Answer:
        """The answer to a request with a body, as JSON unless it is bytes."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", path, content, {"content-type": "application/json", **headers})

    def upload(self, path: str, name: str, content: bytes) -> Answer:
        """The answer to an uploaded file."""
        head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = head.encode() + content + b"\r\n--edge--\r\n"
        form = {"content-type": "multipart/form-data; boundary=edge"}
        return self.send("POST", path, body, form)

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str | None]) -> Answer:
        """The answer to any request; a header that is None is left out."""
        default = {"host": HOST, "authorization": f"Bearer {TOKEN}"}
        fields = default | {name.replace("_", "-"): value for name, value in headers.items()}
        return asyncio.run(self._call(method, path, body, fields))

    async def _call(
        self, method: str, path: str, body: bytes, headers: dict[str, str | None]
    ) -> Answer:
        place, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": place,
            "raw_path": quote(place).encode(),
            "query_string": query.encode(),
            "headers": [
                (name.encode(), value.encode("latin-1"))
                for name, value in headers.items()
                if value is not None
            ],
        }
        messages: list[Any] = []
        parts = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            if parts:
                return parts.pop()
            await asyncio.sleep(3600)  # the client stays

        async def send(message: Any) -> None:
            messages.append(message)

        await self.app(scope, receive, send)
        start, *rest = messages
        fields = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], fields, b"".join(part.get("body", b"") for part in rest))
