"""Access: the token, the server's own addresses, and the headers of every answer."""

from __future__ import annotations

import pytest

from tests.app.explorer.client import HOST, TOKEN, Client
from unwarp.app.explorer.access import Access, check_token
from unwarp.errors import ConfigError


async def hello(scope: object, receive: object, send: object) -> None:
    """An application that answers everything."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


LOCAL = Client(Access(hello, "127.0.0.1", TOKEN))


@pytest.mark.parametrize("token", [None, "Bearer", "Bearer x", f"Basic {TOKEN}", TOKEN, "Bearer é"])
def test_api_needs_the_token(token: str | None) -> None:
    """Nothing under /v1 is answered without it, and the page is."""
    answer = LOCAL.get("/v1/model", authorization=token)
    assert answer.status == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert LOCAL.get("/", authorization=token).status == 200
    assert LOCAL.get("/v1/model").status == 200


@pytest.mark.parametrize("host", ["evil.org", "127.0.0.1.evil.org", "", "[", "10.0.0.1:80", None])
def test_other_hosts_are_refused(host: str | None) -> None:
    """A name that was made to point to this machine is not the server's own."""
    assert LOCAL.get("/", host=host).status == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.org", "null", "http://127.0.0.1:9", "", "http://["]
)
def test_other_origins_are_refused(origin: str) -> None:
    """Pages of other origins get nothing, although a browser would send their requests."""
    assert LOCAL.get("/v1/model", origin=origin).status == 403


def test_own_addresses_are_answered() -> None:
    """Loopback has several names, and a tunnel another port."""
    for host in (HOST, "localhost:1", "[::1]:80", "LOCALHOST"):
        assert LOCAL.get("/v1/model", host=host, origin=f"http://{host}").status == 200


def test_answers_bound_the_page() -> None:
    """Errors have the headers, too: no other host is asked, and no type is guessed."""
    for answer in (LOCAL.get("/"), LOCAL.get("/v1/x", authorization=None), LOCAL.get("/", host="")):
        assert answer.headers["content-security-policy"].startswith("default-src 'self';")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert LOCAL.get("/v1/model").headers["cache-control"] == "no-store"


def test_open_address_takes_any_host() -> None:
    """A server of all addresses does not know its names; origin and host must be equal."""
    client = Client(Access(hello, "0.0.0.0", TOKEN))
    assert client.get("/v1/model", host="lab.org", origin="http://lab.org").status == 200
    assert client.get("/v1/model", host="lab.org", origin="http://evil.org").status == 403


def test_other_addresses_need_a_long_token() -> None:
    """Only on loopback the server makes a token, another one each time."""
    assert check_token("127.0.0.1", None) != check_token("::1", None)
    assert check_token("localhost", "short") == "short"
    for token in (None, "", "short"):
        with pytest.raises(ConfigError, match="at least 16 characters"):
            check_token("0.0.0.0", token)
    with pytest.raises(ConfigError, match="other than letters"):
        check_token("localhost", "with space")
