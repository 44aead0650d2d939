"""Data frames of pandas with several levels in their index or columns.

Levels of an index name series and times, as columns of a long table do. Names of levels tell their
roles; of levels without such names, the last one has the times and the others name the series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unwarp.data.formats.column_names import (
    CHANNEL_NAMES,
    LABEL_NAMES,
    is_counter_name,
    is_id_name,
    is_plain_id,
    is_time_name,
)
from unwarp.data.hints import Hints
from unwarp.errors import DataError


@dataclass(frozen=True)
class _Levels:
    """Levels of an index: `names`, `roles` by name (empty: unknown), and the one with `time`."""

    names: list[str]
    roles: list[str]
    time: int | None


def flat_levels(X: Any, hints: Hints, path: Path) -> tuple[Any, Hints]:
    """A frame with an index of several levels as a long table.

    Args:
        X: The frame.
        hints: The user's hints, which may name levels as they name columns.
        path: The file that the frame comes from, for messages.

    Returns:
        The frame with its levels as columns, and hints with the columns of ids and times. If
        neither a name nor the place of a level tells the times, or the user names another layout,
        the hints are those of the user: the columns tell the layout.

    Raises:
        DataError: The levels read two ways.
    """
    levels = _levels_of(X, hints, path)
    frame = X.set_axis(X.index.set_names(levels.names), axis=0)
    has_only_ids = levels.time is None and "" not in levels.roles
    if has_only_ids and hints.table == "auto" and hints.time_column is None and X.index.is_unique:
        raise _no_times(path, levels.names)
    is_open = levels.time is None and not has_only_ids
    if hints.table == "columns" or (is_open and hints.table != "wide"):
        return frame.reset_index(), hints
    if hints.table == "wide":  # each row is a series, so that no level has times
        frame, hints = _with_ids(frame, hints, replace(levels, time=None), path)
        return frame.reset_index(), hints
    frame, hints = _with_ids(*_with_time(frame, levels, hints, path), levels, path)
    return frame.reset_index(), replace(hints, table="long")


def _with_time(frame: Any, levels: _Levels, hints: Hints, path: Path) -> tuple[Any, Hints]:
    """The frame without a level that only counts beside a column of times; hints with times."""
    if levels.time is None:
        return frame, hints
    time = levels.names[levels.time]
    if hints.time_column in (None, time):
        _refuse_rivals(frame, path, "time", is_time_name, hints.time_column, time)
        return frame, replace(hints, time_column=time)
    return (frame if levels.roles[levels.time] else frame.droplevel(time)), hints


def _with_ids(frame: Any, hints: Hints, levels: _Levels, path: Path) -> tuple[Any, Hints]:
    """The frame with one level for all ids, and hints that name it."""
    is_time = [k == levels.time for k in range(len(levels.names))]
    ids = [
        name
        for name, role, timed in zip(levels.names, levels.roles, is_time, strict=True)
        if role in ("", "id") and not timed
    ]
    if not ids or hints.id_column is not None:
        return frame, hints
    _refuse_rivals(frame, path, "id", is_plain_id, None, " and ".join(ids))
    return _with_joint_ids(frame, ids), replace(hints, id_column=ids[0])


def _levels_of(X: Any, hints: Hints, path: Path) -> _Levels:
    """The levels of a frame with names of their own, their roles, and the level of times."""
    index, columns = X.index, {str(name) for name in X.columns}
    titles = ["" if name is None else str(name) for name in index.names]
    roles = [_role(name) for name in titles]
    time = _time_level(titles, roles, hints, path)
    n_ids = 0
    names: list[str] = []
    for k, name in enumerate(titles):
        n_ids += not name and k != time
        default = "time" if k == time else "id" if n_ids < 2 else f"id_{n_ids}"
        plain = name or default
        is_free = plain not in columns and plain not in names + titles[:k] + titles[k + 1 :]
        names.append(plain if is_free else f"index_{plain}" + f"_{k}" * (titles.count(plain) > 1))
    return _Levels(names, roles, time)


def _role(name: str) -> str:
    """The role that the name of a level tells; empty if it tells none."""
    plain = name.strip().lower()
    if plain in CHANNEL_NAMES:
        return "channel"
    if plain in LABEL_NAMES:
        return "label"
    return "time" if is_time_name(name) else "id" if is_id_name(name) else ""


def _time_level(names: list[str], roles: list[str], hints: Hints, path: Path) -> int | None:
    """The level that has the times; None if neither its name nor its place tells it."""
    if hints.time_column in names:
        return names.index(str(hints.time_column))
    open_levels = [k for k, name in enumerate(names) if name != hints.id_column or not name]
    timed = [k for k in open_levels if roles[k] == "time"]
    if len(timed) > 1 and hints.time_column is None:
        raise _two_times(path, [f"{names[k]!r}" for k in timed])
    # a word such as `sample` names series or steps: it is a step at the end
    is_step = not timed and len(names) > 1 and is_counter_name(names[-1])
    if is_step and roles[-1] == "id" and "" not in roles and len(names) - 1 in open_levels:
        return len(names) - 1
    unknown = [k for k in open_levels if not roles[k]]
    counters = [k for k in unknown if is_counter_name(names[k])]
    if timed or not unknown:
        return timed[0] if timed else None
    last = unknown[-1]
    if counters and last not in counters and hints.time_column is None:
        words = f"{names[last]!r}" if names[last] else "the last one, without a name"
        raise _two_times(path, [f"{names[counters[-1]]!r}", words])
    return last if last in counters or last == len(names) - 1 else None


def _two_times(path: Path, levels: Sequence[str]) -> DataError:
    """The error for two levels that could be the times."""
    return DataError(
        f"{path} reads two ways: of the levels of its index, {' and '.join(levels)} could have "
        "the times of the steps; name one with time_column, or drop the other one"
    )


def _refuse_rivals(X: Any, path: Path, role: str, is_role: Any, hint: Any, level: str) -> None:
    """Refuse a column with the name of a role that a level has, unless the user decides."""
    column = next((str(name) for name in X.columns if is_role(str(name))), None)
    if column is None or hint is not None:
        return
    reading = "has the times" if role == "time" else "names the series"
    raise DataError(
        f"{path} reads two ways: the level {level!r} of its index {reading}, or its column "
        f"{column!r}; name one with {role}_column, or drop the other one"
    )


def _no_times(path: Path, names: list[str]) -> DataError:
    """The error for levels of ids that differ in every row, and none with times."""
    return DataError(
        f"{path} reads two ways: each row has its own {' and '.join(map(repr, names))}, so that "
        f"each row is a series (table='wide'), or one of them has the times of the steps (such as "
        f"time_column={names[-1]!r}); set one of these"
    )


def _with_joint_ids(frame: Any, ids: list[str]) -> Any:
    """A frame whose levels of ids are one level, with the name of the first of them."""
    if len(ids) < 2:
        return frame
    parts = [frame.index.get_level_values(name).astype(str) for name in ids]
    joint = ["-".join(cells) for cells in zip(*parts, strict=True)]
    levels = {name: frame.index.get_level_values(name) for name in frame.index.names}
    levels = {name: values for name, values in levels.items() if name not in ids[1:]}
    index = type(frame.index).from_arrays(
        [joint if name == ids[0] else values for name, values in levels.items()], names=[*levels]
    )
    return frame.set_axis(index, axis=0)


def single_columns(X: Any, path: Path) -> Any:
    """A frame with one level of columns.

    Args:
        X: A frame with several levels of columns.
        path: The file that the frame comes from, for messages.

    Returns:
        The frame without levels that have one value.

    Raises:
        DataError: Several levels have several values, so that the columns read two ways.
    """
    counts = [X.columns.get_level_values(k).nunique() for k in range(X.columns.nlevels)]
    varying = [k for k, count in enumerate(counts) if count > 1] or [len(counts) - 1]
    if len(varying) == 1:
        return X.set_axis(X.columns.get_level_values(varying[0]), axis=1)
    steps = max(varying, key=lambda k: counts[k])
    n_channels = X.shape[1] // counts[steps]
    raise DataError(
        f"{path} reads two ways: its columns have {len(varying)} levels, so that a row is a series "
        f"of {counts[steps]:,} steps of {n_channels:,} channels, or one of {X.shape[1]:,} steps; "
        f"for channels, give X.stack(level={steps}, future_stack=True), with a row for each step; "
        "for one series, X.set_axis(range(X.shape[1]), axis=1)"
    )
