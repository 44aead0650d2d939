"""Verdicts on attacks: whether the library refuses an input, and how."""

from __future__ import annotations

import io
import multiprocessing
import os
import re
import resource
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal
from unittest.mock import patch

import torch
from sklearn.exceptions import NotFittedError

from unwarp.app.cli import main
from unwarp.errors import UnwarpError

Outcome = Literal["typed", "vague", "raw", "silent", "warned", "hang", "crash"]

MEND = re.compile(
    r"; |\b(give|choose|use|needs?|must|install|expected|one of|set|see|pass|write|should|check)\b",
    re.IGNORECASE,  # the mend may be a sentence of its own: "Check how X was loaded"
)
"""Words of a message that tell what to do."""

MAX_BYTES_OF_WORKER = 12 << 30
"""Address space of the process that runs attacks."""

LENGTH_OF_DETAIL = 240
"""Characters of a message in a result file."""


@dataclass(frozen=True)
class Attack:
    """One bad input.

    Attributes:
        kind: Family of the attack, such as `argument`.
        label: The input, so that a reader can repeat it.
        act: Function that hands the input to the library.
        words: Texts that a good refusal contains, such as the name of the argument.
    """

    kind: str
    label: str
    act: Callable[[], object]
    words: tuple[str, ...] = ()


def start_of(value: object) -> str:
    """The start of a value as it is written in code, which a good refusal repeats."""
    # an object of no value has its class there; lists may be shown as tuples
    return repr(value).strip("[]")[:15].rstrip()


@dataclass(frozen=True)
class Verdict:
    """The outcome of an attack.

    Attributes:
        kind: Family of the attack.
        label: The input.
        outcome: `typed` (an error of the library that names the input and the mend), `vague` (an
            error of the library that does not), `raw` (another exception), `silent` (accepted),
            `warned` (accepted with a warning), `hang`, or `crash` (the process ended).
        detail: The message.
    """

    kind: str
    label: str
    outcome: Outcome
    detail: str = ""


def judge(attack: Attack) -> Verdict:
    """The verdict on an attack, in this process and without a time limit."""
    try:
        with warnings.catch_warnings(record=True) as caught, open_output():
            warnings.simplefilter("always")
            attack.act()
    except (UnwarpError, NotFittedError) as error:
        text = " ".join(str(error).split())
        names = all(word.lower() in text.lower() for word in attack.words)
        is_typed = names and MEND.search(text) is not None
        return Verdict(attack.kind, attack.label, "typed" if is_typed else "vague", shorten(text))
    except (Exception, SystemExit) as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return Verdict(attack.kind, attack.label, "raw", shorten(text))
    is_warned = any(issubclass(item.category, UserWarning) for item in caught)
    return Verdict(attack.kind, attack.label, "warned" if is_warned else "silent")


def shorten(text: str) -> str:
    """The start of a text."""
    return text if len(text) <= LENGTH_OF_DETAIL else text[: LENGTH_OF_DETAIL - 3] + "..."


@contextmanager
def open_output() -> Iterator[None]:
    """Discard all that is printed."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        yield


def command(*words: object) -> None:
    """Run a command of `unwarp`; its refusal in one line becomes an `UnwarpError`.

    Raises:
        UnwarpError: The command ended with exit code 2 and one line.
        SystemExit: It ended otherwise, and not with success.
    """
    errors = io.StringIO()
    with patch.object(sys, "argv", ["unwarp", *map(str, words)]), redirect_stderr(errors):
        try:
            main.main()
        except SystemExit as stop:
            lines = errors.getvalue().strip().splitlines()
            if stop.code == main.EXIT_CODE_OF_MISTAKE and lines[-1:]:
                raise UnwarpError(lines[-1].removeprefix("unwarp: ")) from None
            if stop.code not in (0, None):
                raise


def judge_all(attacks: Sequence[Attack], seconds: float) -> list[Verdict]:
    """Verdicts on attacks, each within a time limit.

    A worker process runs one attack after the other; it is replaced when it hangs or ends.

    Args:
        attacks: The attacks.
        seconds: Longest time of one attack; more is a `hang`.
    """
    verdicts: list[Verdict] = []
    while len(verdicts) < len(attacks):
        verdicts += _judge_until_stop(attacks[len(verdicts) :], seconds)
    return verdicts


def _judge_until_stop(attacks: Sequence[Attack], seconds: float) -> Iterator[Verdict]:
    """Verdicts up to the first attack that hangs or ends the worker, that one included."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    worker = context.Process(target=_work, args=(attacks, sender))
    worker.start()
    sender.close()
    for attack in attacks:
        try:
            if not receiver.poll(seconds):
                yield Verdict(attack.kind, attack.label, "hang", f"more than {seconds:g} s")
                break
            yield receiver.recv()
        except EOFError:
            yield Verdict(attack.kind, attack.label, "crash", "the process ended")
            break
    worker.kill()
    worker.join()
    receiver.close()


def _work(attacks: Sequence[Attack], sender: Connection) -> None:
    """Judge attacks in a process of their own, with bounded memory."""
    torch.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES_OF_WORKER, MAX_BYTES_OF_WORKER))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.dup2(os.open(os.devnull, os.O_RDWR), 2)
    for attack in attacks:
        sender.send(judge(attack))


def count_outcomes(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """Number of verdicts by outcome."""
    outcomes: tuple[Outcome, ...] = ("typed", "vague", "raw", "silent", "warned", "hang", "crash")
    return {name: sum(verdict.outcome == name for verdict in verdicts) for name in outcomes}


def list_faults(verdicts: Sequence[Verdict]) -> list[dict[str, str]]:
    """All verdicts but good refusals, as records; paths of temporary folders are left out."""
    return [
        {name: text.replace(str(Path.cwd()), ".") for name, text in vars(verdict).items()}
        for verdict in verdicts
        if verdict.outcome != "typed"
    ]
