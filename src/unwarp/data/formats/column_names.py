"""Names of columns that tell roles, word by word.

A name is compared in lower case, word by word and without its unit: `Time (s)`, `time_s` and
`elapsedTime` are names of times.
"""

from __future__ import annotations

import re
from collections.abc import Sequence


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


ID_NAMES = (
    "id",
    "series_id",
    "sample_id",
    "case_id",
    "unique_id",
    "series",
    "sample",
    "case",
    "trial",
)
TIME_NAMES = (
    "time",
    "t",
    "timestamp",
    "time_stamp",
    "datetime",
    "date",
    "ds",
    "reading_id",
    "seconds",
)
CHANNEL_NAMES = (
    "channel",
    "channel_id",
    "channel_name",
    "dim_id",
    "dimension",
    "dim",
    "variable",
    "_field",
    "field",
    "parameter",
    "metric",
)
LABEL_NAMES = ("label", "class", "class_val", "target")
"""Column names of each role, in lower case; messages use the first name of a role."""

WIDE_LABEL_NAMES = (*LABEL_NAMES, "y")
"""Names of the column of labels in a wide table; in a long table `y` is a channel."""

INDEX_NAMES = ("", "unnamed: 0", "unnamed:0", "level_0")
"""Names of the column in which pandas writes the index of a frame."""

THINGS = _words(
    "animal basin batch bearing clip cell device engine entity episode experiment experiments",
    "file filename host household individual instance key location machine meter mouse object",
    "observation_unit participant particle patient person player probe rat record recording",
    "replicate run sample sensor sequence series session site specimen station subject subj table",
    "track trajectory trial unit user vehicle well case run guid uuid proband sujet versuch",
    "messung",
)
"""Words for things that are recorded, one series for each."""

NUMBER_WORDS = _words(
    "id ids code no nr num number name idx index nummer uid",
)
"""Words that follow the word for a thing."""

TIME_WORDS = _words(
    "time times timestamp datetime date ts ds zeit datum uhrzeit zeitstempel temps tiempo fecha",
    "hora heure tempo elapsed clock stamp t seconds recorded created",
)
"""Words for times."""

TIME_FILLERS = _words(
    "s sec secs second seconds ms msec us ns min mins minute minutes h hr hrs hour hours d day",
    "days utc gmt local iso unix epoch rel relative abs absolute of the at in since start stamp",
    "sample recording seit",
)
"""Words that may stand beside a word for a time, such as its unit."""

COUNTER_WORDS = _words(
    "index idx frame frames cycle cycles step steps age ages tick ticks count counter n k i row",
    "obs observation year years month months week weeks day days hour hours minute minutes epoch",
    "position pos lag bin point sample samples seq nr no number x depth distance scan jahr tag",
    "stunde reading",
)
"""Words for counters, which are times if they increase in every series."""

STEP_STEMS = _words(
    "t time step steps v val value values lag bin pixel px point pt feature feat f col column att",
    "attr x dim frame sample obs hour day week month year age",
)
"""Beginnings of the numbered names of time steps."""

SERIES_STEMS = THINGS | _words(
    "channel chan ch trace curve signal roi neuron electrode lead kanal spectrum spur kurve voie",
    "canal wave lane spot peak line analog ai",
)
"""Beginnings of the numbered names of series."""

UNIT = re.compile(r"\s*[(\[{][^)\]}]*[)\]}]|/\s*[a-zµ%°]{1,3}$", re.IGNORECASE)
"""A unit in brackets or after a slash."""

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
NUMBERED = re.compile(r"(?P<stem>.*?)[\s_.#-]*(?P<number>\d+)")
LETTERED = re.compile(r"(?P<stem>.*\S)[\s_.-]+(?P<letter>[A-Za-z])", re.IGNORECASE)
WELL = re.compile(r"[A-P](\d{1,2})")
AXES = frozenset("xyz")
"""Letters of axes, which tell channels of one series."""


def words_of(name: str) -> list[str]:
    """The words of a name in lower case, without its unit.

    Args:
        name: Name of a column.

    >>> words_of("elapsedTime (ms)"), words_of("PatientID"), words_of("tag_1")
    (['elapsed', 'time'], ['patient', 'id'], ['tag', '1'])
    """
    return [word.lower() for word in WORD.findall(UNIT.sub("", name) or name)]


def is_id_name(name: str) -> bool:
    """Whether a name is that of a column of series.

    Args:
        name: Name of a column.

    >>> is_id_name("batch_id"), is_id_name("Trial No"), is_id_name("x"), is_id_name("sensor 1")
    (True, True, False, False)
    """
    words = words_of(name)
    if name.strip().lower() in ID_NAMES:
        return True
    if not words or words[-1].isdigit() or name.strip().lower() in (*CHANNEL_NAMES, *TIME_NAMES):
        return False
    return words[-1] in ("id", "uid", "uuid", "guid") or (
        words[-1 - (words[-1] in NUMBER_WORDS and len(words) > 1)] in THINGS
    )


def is_plain_id(name: str) -> bool:
    """Whether a name is surely that of a column of series.

    Args:
        name: Name of a column.

    >>> is_plain_id("batch_id"), is_plain_id("run")
    (True, False)
    """
    words = words_of(name)
    return name.strip().lower() in ID_NAMES or words[-1:] in (["id"], ["uid"], ["uuid"])


def is_time_name(name: str) -> bool:
    """Whether a name is that of a column of times.

    Args:
        name: Name of a column.

    >>> is_time_name("Time (s)"), is_time_name("t_ms"), is_time_name("reaction_time")
    (True, True, False)
    """
    words = set(words_of(name))
    is_listed = name.strip().lower() in TIME_NAMES
    return is_listed or (bool(words & TIME_WORDS) and words <= TIME_WORDS | TIME_FILLERS)


def is_counter_name(name: str) -> bool:
    """Whether a name is that of a counter or an age.

    Args:
        name: Name of a column.

    >>> is_counter_name("frame"), is_counter_name("height")
    (True, False)
    """
    words = set(words_of(name))
    return bool(words & (COUNTER_WORDS | TIME_WORDS)) or is_time_name(name)


def stem_of(names: Sequence[str]) -> str | None:
    """The common beginning of numbered names, in lower case.

    Args:
        names: Names of columns.

    Returns:
        The beginning, `""` for names that are numbers or wells of a plate; None for other names.

    >>> stem_of(["S00", "S01"]), stem_of(["x", "y"]), stem_of(["A1", "B12"]), stem_of(["1", "2"])
    ('s', None, 'well', '')
    """
    plain = [UNIT.sub("", name).strip() or name.strip() for name in names]
    if len(set(plain)) < len(plain):
        return None
    if all(map(WELL.fullmatch, plain)) and len({name[0] for name in plain}) > 1:
        return "well"
    for pattern in (NUMBERED, LETTERED):
        matches = [pattern.fullmatch(name) for name in plain]
        stems = {match["stem"].strip(" _.-").lower() for match in matches if match}
        if all(matches) and len(stems) == 1:
            is_axes = pattern is LETTERED and {name[-1].lower() for name in plain} <= AXES
            return None if is_axes or len(plain) < 2 else stems.pop()
    return None


def is_stem_of(stem: str | None, stems: frozenset[str]) -> bool:
    """Whether the last word of a stem is in a set.

    Args:
        stem: A result of `stem_of`.
        stems: The set, such as `STEP_STEMS`.
    """
    words = words_of(stem or "")
    return bool(words) and words[-1] in stems
