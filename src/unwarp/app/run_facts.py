"""The fingerprint of a run: data, settings and version.

It is written to the run folder before the first training. A run that is continued with other data
or other settings would mix the results of both, and is refused.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from unwarp.app.job import FACTS_NAME, Job, has_results
from unwarp.app.parts import Parts
from unwarp.checksums import checksum
from unwarp.data.fingerprint import code_facts, differences, source_facts
from unwarp.disk.files import read_plain
from unwarp.errors import CheckpointError
from unwarp.storage.files import write_file

MODEL_NAMES = ("model", "baseline")
"""Folders of both models in a run folder."""


def check_run(folder: Path, job: Job, parts: Parts) -> None:
    """Refuse to continue a run with other data, settings or code.

    The fingerprint of a run without results is written, that of a run with results is compared. If
    both models are trained, the version of the code does not matter any more.

    Args:
        folder: The run folder.
        job: The job of the folder.
        parts: The samples of the job.

    Raises:
        CheckpointError: The run has other facts; the message names them.
    """
    path, facts = folder / FACTS_NAME, _run_facts(job, parts)
    if not has_results(folder):
        write_file(path, json.dumps({"facts": facts, "checksum": checksum(facts)}, indent=1))
        return
    is_complete = all((folder / name).is_dir() for name in MODEL_NAMES)
    if not path.is_file():
        if not is_complete:
            raise CheckpointError(
                f"{folder} was begun by an earlier version of unwarp, which did not record its "
                "data; continue with that version, or start the run again in another folder"
            )
        return
    stored = read_facts(folder) or {}
    if is_complete:
        stored |= code_facts()
    if difference := differences(stored, facts):
        raise CheckpointError(
            f"{folder} holds another run ({difference}); restore the earlier data and settings, "
            "or start the run again in another folder"
        )


def _run_facts(job: Job, parts: Parts) -> dict[str, Any]:
    """The facts of a run as JSON values; the place of the source is none of them."""
    record = asdict(job)
    del record["source"]
    data = {"training": source_facts(parts.training), "test": source_facts(parts.test)}
    facts: dict[str, Any] = json.loads(
        json.dumps({**record, "data": data, **code_facts()}, default=str)
    )
    return facts


def read_facts(folder: Path) -> dict[str, Any] | None:
    """The stored facts of a run, checked by their checksum.

    Args:
        folder: The run folder.

    Returns:
        Facts by name; None if the version that began the run did not record them.

    Raises:
        CheckpointError: The file is damaged.
    """
    path = folder / FACTS_NAME
    if not path.is_file():
        return None
    try:
        record = json.loads(read_plain(path))
        facts = dict(record["facts"])
        if checksum(facts) != record["checksum"]:
            raise ValueError("its checksum differs")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is damaged ({error}); start the run again in another folder"
        ) from error
    return facts
