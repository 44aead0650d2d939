"""The server: a fuzzed API, lost clients, slow readers, and an orderly end."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable

from tests.app.explorer.client import TOKEN, Client
from unwarp.app.explorer import server
from unwarp.app.explorer.exploration import Exploration
from unwarp.app.explorer.server import check_packages, listen
from unwarp.app.outcome import Outcome
from unwarp.errors import ConfigError

FUZZ = settings(
    max_examples=20,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which package is missing, and how to install it."""
    monkeypatch.setattr(server, "PACKAGES", ("no_such_package",))
    with pytest.raises(ConfigError, match=r"no_such_package; install .*'unwarp\[explore\]'"):
        check_packages()


def test_used_port_is_refused() -> None:
    """The message names the port."""
    with closing(listen("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port={port} of 127.0.0.1 cannot be used"):
            listen("127.0.0.1", port)


def test_page_needs_no_token(clients: dict[str, Client]) -> None:
    """The page itself holds no data; without a built page there is a placeholder."""
    answer = clients["images"].get("/", authorization=None)
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/html")
    assert clients["images"].get("/../server.py").status == 404


def test_page_asks_no_other_host() -> None:
    """Scripts and styles of the page come from the server."""
    for path in server.PAGE.glob("*.html"):
        text = path.read_text()
        assert 'src="http' not in text and 'href="http' not in text


def test_mistakes_of_the_server_are_answers(
    clients: dict[str, Client], images: Exploration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake of the server is an answer without its inner life."""
    monkeypatch.setattr(type(images), "check_rows", lambda self, rows: 1 // 0)
    with pytest.raises(ZeroDivisionError):  # FastAPI raises it again, so that it is logged
        clients["images"].get("/v1/samples/1")


@pytest.fixture(scope="module")
def address(images: Exploration) -> Iterator[tuple[str, int]]:
    """A server in a thread, by its host and port."""
    for package in ("fastapi", "multipart", "uvicorn"):
        pytest.importorskip(package, reason="needs the extra explore")
    from uvicorn import Config, Server

    listener = listen("127.0.0.1", 0)
    app = server.make_app(images, "127.0.0.1", TOKEN)
    running = Server(Config(app, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield listener.getsockname()
    running.should_exit = True
    thread.join(20)
    listener.close()


def ask(address: tuple[str, int], path: str = "/v1/samples/1") -> int:
    """Status of an answer over the network."""
    connection = http.client.HTTPConnection(*address, timeout=20)
    with closing(connection):
        connection.request("GET", path, headers=AUTHORIZED)
        answer = connection.getresponse()
        answer.read()
        return answer.status


def test_lost_clients_change_nothing(address: tuple[str, int]) -> None:
    """Clients that vanish within the head, the body or the answer leave the server as it was."""
    head = f"Host: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
    parts = [
        "GET /v1/model HT",
        f"POST /v1/render HTTP/1.1\r\n{head}Content-Length: 999\r\n\r\n{{",
        f"GET /v1/samples/1 HTTP/1.1\r\n{head}\r\n",
        "\x00\x01\x02\r\n\r\n",
        f"GET / HTTP/1.1\r\n{'X: ' + 'y' * 70000}\r\n\r\n",
    ]
    for part in parts * 5:
        with closing(socket.create_connection(address, timeout=20)) as client:
            client.sendall(part.encode("latin-1"))
    assert ask(address) == 200


def test_slow_readers_change_nothing(address: tuple[str, int]) -> None:
    """Clients that do not read their answers do not keep others from theirs."""
    readers = [socket.create_connection(address, timeout=20) for _ in range(8)]
    request = (
        f"GET /v1/samples/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    )
    for reader in readers:
        reader.sendall(3 * request.encode())
    assert [ask(address) for _ in range(3)] == [200] * 3
    for reader in readers:
        reader.close()


def test_many_clients_are_answered(address: tuple[str, int]) -> None:
    """Answers are whole or refusals, and afterwards the queue is free."""
    results: list[int] = []

    def client() -> None:
        for _ in range(5):
            results.append(ask(address))

    threads = [threading.Thread(target=client) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 200 and set(results) <= {200, 429} and results.count(200) >= 100
    assert ask(address) == 200


def fuzz(operation: Any, mode: Any, place: str, excluded: list[Any]) -> Counter[int]:
    """Statuses of the answers to requests of one kind, each checked against the document."""
    statuses: Counter[int] = Counter()

    @settings(FUZZ)
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        answer = case.call(base_url=place, headers=AUTHORIZED, timeout=60)
        statuses[answer.status_code] += 1
        case.validate_response(answer, excluded_checks=excluded)

    with suppress(Unsatisfiable):  # no request breaks an address without rules
        check()
    return statuses


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
def test_api_keeps_its_document(mode: str, address: tuple[str, int]) -> None:
    """Requests made from the document, and such that break it, get documented answers."""
    schemathesis = pytest.importorskip("schemathesis")
    schemathesis.checks.load_all_checks()
    place, checks = f"http://{address[0]}:{address[1]}", schemathesis.checks.CHECKS
    schema = schemathesis.openapi.from_url(f"{place}/v1/openapi.json", headers=AUTHORIZED)
    statuses: Counter[int] = Counter()
    for result in schema.get_all_operations():
        operation = result.ok()
        # valid numbers may still name no sample, so that good requests may be refused
        excluded = [checks.get_one("positive_data_acceptance")]
        if operation.method == "get":  # unknown parameters of an address are left out
            excluded.append(checks.get_one("negative_data_rejection"))
        statuses += fuzz(operation, schemathesis.GenerationMode[mode], place, excluded)
    assert statuses.total() > 100 and max(statuses) < 500, statuses


def test_answers_are_sent_at_once() -> None:
    """A connection has no delay for small answers, which costs 40 ms each."""
    with closing(listen("127.0.0.1", 0)) as listener, closing(socket.socket()) as client:
        client.connect(listener.getsockname())
        server_side, _ = listener.accept()
        assert server_side.proto == socket.IPPROTO_TCP  # asyncio turns the delay off for it alone
        server_side.close()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_command_serves_until_it_ends(image_run: Outcome, number: signal.Signals) -> None:
    """The printed address answers, and an interrupt ends the command well."""
    pytest.importorskip("fastapi", reason="needs the extra explore")
    pytest.importorskip("uvicorn", reason="needs the extra explore")
    folder = Path(image_run.job.source).parent / "run"
    command = [sys.executable, "-m", "unwarp", "explore", str(folder), "--no-browser", "--quiet"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        place = process.stdout.readline().split()[1]
        host, token = place.removeprefix("http://").split("/?token=")
        connection = http.client.HTTPConnection(host, timeout=60)
        connection.request("GET", "/v1/model", headers={"Authorization": f"Bearer {token}"})
        facts = json.loads(connection.getresponse().read())
        connection.close()
        process.send_signal(number)
        assert process.wait(60) == 0
    assert facts["n_samples"] == 30 and facts["name"] == "run"
