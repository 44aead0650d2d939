"""Comparison of finished runs: data, settings and scores side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unwarp.app.job import load_job
from unwarp.app.report.setting_texts import leaves
from unwarp.app.run_facts import read_facts
from unwarp.disk.files import read_plain
from unwarp.errors import CheckpointError, ConfigError
from unwarp.prefixes import strip_prefix
from unwarp.storage.files import expand

MIN_RUNS = 2
"""Least number of runs that are compared."""

SEED = "settings.random_state"
"""Name of the seed, which is compared by itself."""


@dataclass(frozen=True)
class FinishedRun:
    """The records of a run folder.

    Attributes:
        folder: The run folder.
        source: Name or path of the data.
        seed: Seed of all random numbers.
        settings: Request, arguments and fields of the recipe by their dotted name.
        data: Checksums of the samples, labels and times of both parts; None if the version that
            began the run did not record them.
        metrics: Content of `metrics.json`.
    """

    folder: Path
    source: str
    seed: int
    settings: Mapping[str, Any]
    data: Mapping[str, Any] | None
    metrics: Mapping[str, Any]

    def scores(self, model: str) -> dict[str, float]:
        """Scores on held-out samples.

        Scores of codes of series stand under their plain name, too.

        Args:
            model: `warped` or `baseline`.
        """
        scores: dict[str, float] = self.metrics[model]["scores"]
        return {**scores, **strip_prefix(scores, "codes_")}


@dataclass(frozen=True)
class Comparison:
    """Several finished runs, by a name for each.

    Attributes:
        runs: The runs by the name of their folder, or by its path if names repeat.

    >>> Comparison({}).differences
    {}
    """

    runs: Mapping[str, FinishedRun]

    @property
    def has_same_data(self) -> bool | None:
        """Whether all runs have the same samples; None if unknown."""
        facts = [run.data for run in self.runs.values()]
        if None in facts:
            return None
        return all(data == facts[0] for data in facts)

    @property
    def differences(self) -> dict[str, tuple[Any, ...]]:
        """Values of each setting that differs, one per run.

        A value is None where a run lacks the setting.
        """
        all_settings = [run.settings for run in self.runs.values()]
        names = dict.fromkeys(name for settings in all_settings for name in settings)
        values = {name: tuple(part.get(name) for part in all_settings) for name in names}
        return {
            name: row
            for name, row in values.items()
            if name != SEED and any(value != row[0] for value in row)
        }

    def record(self) -> dict[str, Any]:
        """The comparison as values for JSON."""
        runs = {
            name: {
                "folder": str(run.folder),
                "source": run.source,
                "seed": run.seed,
                "scores": {model: run.scores(model) for model in ("warped", "baseline")},
            }
            for name, run in self.runs.items()
        }
        return {"runs": runs, "same_data": self.has_same_data, "differences": self.differences}


def compare(folders: Sequence[Path]) -> Comparison:
    """Read finished runs and compare them.

    Args:
        folders: Two run folders or more.

    Returns:
        The runs in the order of the folders.

    Raises:
        ConfigError: There are fewer than two folders, or one is given twice.
        CheckpointError: A folder is no run folder, is damaged, or its run is not finished.
    """
    paths = [expand(folder) for folder in folders]
    if len(paths) < MIN_RUNS or len({path.resolve() for path in paths}) < len(paths):
        raise ConfigError(
            f"runs {', '.join(map(str, folders))}: a comparison needs two different run folders or "
            "more; name each once, such as runs/one runs/two"
        )
    has_repeated_names = len({path.name for path in paths}) < len(paths)
    names = [str(path) if has_repeated_names else path.name for path in paths]
    return Comparison({name: read_run(path) for name, path in zip(names, paths, strict=True)})


def read_run(folder: Path) -> FinishedRun:
    """The records of a run folder.

    Args:
        folder: A run folder.

    Raises:
        CheckpointError: It is no run folder, is damaged, or its run is not finished.
    """
    job, path = load_job(folder), folder / "metrics.json"
    try:
        metrics = json.loads(read_plain(path))
        recipe, _ = metrics["warped"]["recipe"], metrics["baseline"]["scores"]
        _ = metrics["versions"], metrics["warped"]["scores"]
    except FileNotFoundError:
        raise CheckpointError(
            f"{folder} has no {path.name}: its run is not finished; continue it with 'unwarp "
            f"resume {folder}'"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path} is damaged ({error}); write it again with 'unwarp resume {folder}'"
        ) from error
    facts = read_facts(folder) or {}
    settings = leaves({"recipe": recipe, "settings": job.settings, "versions": metrics["versions"]})
    return FinishedRun(folder, job.source, job.seed, settings, facts.get("data"), metrics)
