"""The explorer's server: time from a slider to its picture, and many clients at once.

    python -m benchmarks.explorer [--cell NAME] [--again] [--quick] [--table]

* `digits`, `trace`: seconds of `POST /v1/render` as one client sees them, with the whole way over
  HTTP, after moving one slider at random; pictures and series.
* `load`: 10,000 requests of all kinds from 32 clients, while others vanish in the middle of a
  request or never read their answers; and the resident memory of the server before and after.

The server is the command `unwarp explore` in a process of its own with one thread.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks import cells

FOLDER, PAGE = "explorer", "docs/guide/explorer.md"
CASES = {"digits": "affine", "trace": "time"}
"""Data sets, and the warp of the model that is trained on each in a few steps."""

CLIENTS, REQUESTS, MOVES = 32, 10_000, 300
LOST, READERS = 200, 16
"""Clients that vanish during the load, and clients that do not read their answers."""

Place = tuple[str, str]
"""Host with port, and the token."""


@contextmanager
def served(name: str) -> Iterator[tuple[int, Place]]:
    """A server of a data set, by its process and its place."""
    from unwarp import Unwarper
    from unwarp.app.parts import open_source

    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        unwarper = Unwarper(CASES[name], max_steps=40, device="cpu")
        unwarper.fit(open_source(name, "train")).save(model)
        command = [sys.executable, "-m", "unwarp", "explore", str(model), "--data", name]
        process = subprocess.Popen(
            [*command, "--no-browser", "--quiet"],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        try:
            assert process.stdout is not None
            words = process.stdout.readline().split()
            host, token = words[1].removeprefix("http://").split("/?token=")
            yield process.pid, (host, token)
        finally:
            process.terminate()
            process.wait()


class Caller:
    """A client with one connection."""

    def __init__(self, place: Place) -> None:
        self.connection = http.client.HTTPConnection(place[0], timeout=120)
        self.headers = {
            "Authorization": f"Bearer {place[1]}",
            "Content-Type": "application/json",
        }

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Status and content of an answer."""
        content = None if body is None else json.dumps(body)
        self.connection.request(method, path, content, self.headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()


def slider_bodies(facts: dict[str, Any], generator: random.Random) -> Iterator[dict[str, Any]]:
    """Bodies of `render` in which one slider after the other moves."""
    content = [dimension["mean"] for dimension in facts["content"]]
    deformation = {factor["name"]: factor["identity"] for factor in facts["factors"]}
    while True:
        factor = generator.choice(facts["factors"])
        deformation[factor["name"]] = generator.uniform(factor["low"], factor["high"])
        k = generator.randrange(len(content))
        content[k] = generator.uniform(facts["content"][k]["low"], facts["content"][k]["high"])
        yield {"content": content, "deformation": deformation}


def latency(name: str, moves: int) -> cells.Result:
    """Seconds from a slider to its picture."""
    with served(name) as (_, place):
        wait_for_map(place)
        caller = Caller(place)
        facts = json.loads(caller.ask("GET", "/v1/model")[1])
        bodies, seconds = slider_bodies(facts, random.Random(0)), []
        for body in (next(bodies) for _ in range(moves + 20)):
            start = time.perf_counter()
            status, _ = caller.ask("POST", "/v1/render", body)
            seconds.append(time.perf_counter() - start)
            assert status == 200
    times = [1000 * value for value in seconds[20:]]
    return {
        "scores": {
            "median_ms": round(median(times), 1),
            "p95_ms": round(quantiles(times, n=20)[-1], 1),
        }
    }


def wait_for_map(place: Place) -> None:
    """Wait until t-SNE is computed, so that it takes no time from what is measured."""
    caller = Caller(place)
    while caller.ask("GET", "/v1/points?map=tsne")[0] == 202:
        time.sleep(1)


def requests_of(facts: dict[str, Any], generator: random.Random) -> Iterator[tuple[str, str, Any]]:
    """Requests of all kinds, as a user of the page makes them."""
    n, bodies = facts["n_samples"], slider_bodies(facts, generator)
    names = [column["name"] for column in facts["columns"]]
    while True:
        rows = [generator.randrange(n) for _ in range(20)]
        yield from (
            ("POST", "/v1/render", next(bodies)),
            ("GET", f"/v1/samples/{rows[0]}", None),
            ("GET", f"/v1/columns/{generator.choice(names)}", None),
            ("GET", "/v1/points?map=pca", None),
            ("GET", f"/v1/histogram/{generator.choice(names)}", None),
            ("POST", "/v1/render", next(bodies)),
            (
                "POST",
                "/v1/morph",
                {"from": rows[1], "to": rows[2], "along": "both", "position": 0.5},
            ),
            ("POST", "/v1/selection", {"rows": rows}),
            ("POST", "/v1/export", {"rows": rows}),
            ("GET", f"/v1/thumbnails?rows={','.join(map(str, rows[:8]))}", None),
        )


def flood(place: Place, facts: dict[str, Any], n: int) -> Counter[int]:
    """Statuses of the answers to requests from all clients."""
    statuses: Counter[int] = Counter()
    lock = threading.Lock()

    def client(seed: int) -> None:
        caller, work = Caller(place), requests_of(facts, random.Random(seed))
        for _ in range(n // CLIENTS + (seed < n % CLIENTS)):
            status, _ = caller.ask(*next(work))
            with lock:
                statuses[status] += 1

    threads = [threading.Thread(target=client, args=(seed,)) for seed in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def connect(place: Place, path: str) -> socket.socket:
    """A connection with a request whose answer nobody has read yet."""
    host, port = place[0].split(":")
    connection = socket.create_connection((host, int(port)), timeout=60)
    head = f"GET {path} HTTP/1.1\r\nHost: {place[0]}\r\nAuthorization: Bearer {place[1]}\r\n\r\n"
    connection.sendall(head.encode())
    return connection


def vanish(place: Place, n: int) -> None:
    """Clients that end their connection by a reset, while their answer is computed."""
    for row in range(n):
        connection = connect(place, f"/v1/samples/{row % 10}")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        time.sleep(0.01)


def memory_mb(process: int) -> float:
    """Resident memory of a process."""
    text = Path(f"/proc/{process}/status").read_text()
    return round(int(text.split("VmRSS:")[1].split()[0]) / 1024, 1)


def load(requests: int) -> cells.Result:
    """Requests from many clients, some of which vanish or do not read."""
    with served("digits") as (process, place):
        wait_for_map(place)
        facts = json.loads(Caller(place).ask("GET", "/v1/model")[1])
        flood(place, facts, min(1000, requests))  # fills caches
        before, start = memory_mb(process), time.perf_counter()
        readers = [connect(place, "/v1/points?map=pca") for _ in range(READERS)]
        lost = threading.Thread(target=vanish, args=(place, min(LOST, requests)))
        lost.start()
        statuses = flood(place, facts, requests)
        lost.join()
        seconds = time.perf_counter() - start
        for reader in readers:
            reader.close()
        after = memory_mb(process)
        assert Caller(place).ask("GET", "/v1/samples/0")[0] == 200
    failures = sum(count for status, count in statuses.items() if status not in (200, 429))
    scores = {
        "answers": statuses[200],
        "refusals": statuses[429],
        "failures": failures,
        "requests_per_second": round(requests / seconds, 1),
        "memory_before_mb": before,
        "memory_after_mb": after,
    }
    return {
        "scores": scores,
        "clients": CLIENTS,
        "vanished": min(LOST, requests),
        "slow_readers": READERS,
    }


def cell(name: str, quick: bool = False) -> cells.Result:
    """One measurement."""
    if name == "load":
        return load(200 if quick else REQUESTS)
    return latency(name, 30 if quick else MOVES)


def load_text(record: cells.Result) -> str:
    """The load in words."""
    s = record["scores"]
    total = s["answers"] + s["refusals"] + s["failures"]
    return (
        f"{total:,} requests from {record['clients']} clients, beside {record['vanished']} clients "
        f"that vanish and {record['slow_readers']} that do not read: {s['failures']} failures, "
        f"{s['refusals']} refusals, {s['requests_per_second']:.0f} requests a second. The server "
        f"had {s['memory_before_mb']:.0f} MB of memory before and {s['memory_after_mb']:.0f} MB "
        "after."
    )


def table() -> None:
    """Write the tables of all result files."""
    names = {"digits": "pictures, 28 x 28", "trace": "series, 275 steps"}
    lines = ["| slider to picture | median | 95 % |", "|---|---|---|"]
    for name, words in names.items():
        path = cells.RESULTS / FOLDER / f"{name}.json"
        if path.is_file():
            s = json.loads(path.read_text())["scores"]
            lines.append(f"| {words} | {s['median_ms']:.0f} ms | {s['p95_ms']:.0f} ms |")
    path = cells.RESULTS / FOLDER / "load.json"
    if path.is_file():
        lines += ["", load_text(json.loads(path.read_text()))]
    cells.quote(FOLDER, "\n".join(lines), PAGE)


if __name__ == "__main__":
    cells.command(__doc__, FOLDER, [*CASES, "load"], cell, table, ["digits", "load"])
