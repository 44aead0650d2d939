"""Tables as loggers, lab software, phones, spreadsheets and databases export them.

Each has the text, the series, steps and channels that it holds, and the suffix and encoding of its
file. None for the numbers means that it reads two ways, so that it must be refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Export:
    """A text of a table: its numbers of series, steps and channels, and how it is stored."""

    text: str
    shape: Shape | None
    suffix: str = ".csv"
    encoding: str = "utf-8"


def values(*shape: int) -> np.ndarray:
    """The same random numbers in every call, with three digits."""
    return np.random.default_rng(7).normal(size=shape).round(3)


def lines(*rows: Iterable[object], sep: str = ",") -> str:
    """Rows of cells as text."""
    return "".join(sep.join(map(str, row)) + "\n" for row in rows)


def comma(row: Iterable[float]) -> list[str]:
    """Numbers with decimal commas."""
    return [str(value).replace(".", ",") for value in row]


def stamp(minute: int) -> str:
    """A time of day on one date."""
    return f"2024-05-01 {minute // 60:02}:{minute % 60:02}:00"


def dates_as_names() -> Export:
    head = ["station", *(f"2024-01-{day:02}" for day in range(1, 31))]
    rows = ([f"basin {k}", *row] for k, row in enumerate(values(6, 30)))
    return Export(lines(head, *rows), (6, 30, 1))


def interleaved_devices() -> Export:
    x = values(25, 4)
    rows = ([stamp(i), f"pump-{k}", x[i, k]] for i in range(25) for k in range(4))
    return Export(lines(["timestamp", "device", "value"], *rows), (4, 25, 1))


def melted() -> Export:
    x = values(5, 20, 2)
    rows = (
        [k, i, name, x[k, i, c]]
        for k in range(5)
        for c, name in enumerate(("left", "right"))
        for i in range(20)
    )
    return Export(lines(["subject", "time", "variable", "value"], *rows), (5, 20, 2))


def trials_of_subjects() -> Export:
    x = values(12, 25, 2)
    rows = ([k // 4 + 1, k % 4 + 1, 4 * i, *x[k, i]] for k in range(12) for i in range(25))
    head = ["participant", "trial", "t_ms", "gaze_x", "gaze_y"]
    return Export(lines(head, *rows), (12, 25, 2))


def german_spreadsheet() -> Export:
    rows = ([f"{i / 10}".replace(".", ","), *comma(row)] for i, row in enumerate(values(60, 3)))
    head = ["Zeit (s)", "Kanal für Öl 1", "Kanal für Öl 2", "Kanal für Öl 3"]
    return Export(lines(head, *rows, sep=";"), (3, 60, 1), encoding="cp1252")


def oscilloscope() -> Export:
    head = "Model,DSOX2024A\nDate,12-May-2024\nRecord Length,60\n\n"
    rows = ([f"{i * 1e-6:.6e}", *row] for i, row in enumerate(values(60, 2)))
    names = lines(["x-axis", "1", "2"], ["second", "Volt", "Volt"])
    return Export(head + names + lines(*rows), (2, 60, 1))


def labview() -> Export:
    head = (
        "LabVIEW Measurement\t\nWriter_Version\t2\nSeparator\tTab\nDecimal_Separator\t.\n"
        "***End_of_Header***\t\n\t\nChannels\t3\t\t\t\nSamples\t50\t50\t50\t\n"
        "***End_of_Header***\t\t\t\t\nX_Value\tVoltage_0\tVoltage_1\tVoltage_2\tComment\n"
    )
    rows = ([f"{i / 1000:.6f}", *row] for i, row in enumerate(values(50, 3)))
    return Export(head + lines(*rows, sep="\t"), (3, 50, 1), ".txt")


def units_below_names() -> Export:
    rows = ([i / 10, *row] for i, row in enumerate(values(80, 3)))
    text = lines(["Time", "Ch1", "Ch2", "Ch3"], ["(s)", "(mV)", "(mV)", "(mV)"], *rows)
    return Export(text, (3, 80, 1))


def index_of_traces() -> Export:
    rows = ([i, *row] for i, row in enumerate(values(90, 12)))
    return Export(lines(["Unnamed: 0", *(f"trace_{k}" for k in range(12))], *rows), (12, 90, 1))


def commented_names() -> Export:
    rows = ([i / 50, *row] for i, row in enumerate(values(70, 4)))
    return Export("# t,ch1,ch2,ch3,ch4\n" + lines(*rows), (4, 70, 1))


def columns_of_blanks() -> Export:
    text = "".join(
        f"{i / 100:8.2f}" + "".join(f"{value:10.3f}" for value in row) + "\n"
        for i, row in enumerate(values(60, 5))
    )
    return Export(text, (5, 60, 1), ".txt")


def restarting_time() -> Export:
    x = values(8, 25, 2)
    rows = ([i / 10, *x[k, i]] for k in range(8) for i in range(25))
    return Export(lines(["time_s", "x", "y"], *rows), (8, 25, 2))


def excel_unicode() -> Export:
    rows = ([f"probe {k}", *row] for k, row in enumerate(values(7, 20)))
    head = ["name", *(f"step {i}" for i in range(20))]
    return Export(lines(head, *rows, sep="\t"), (7, 20, 1), ".txt", "utf-16")


def trailing_separators() -> Export:
    rows = ([*row, ""] for row in values(12, 30))
    return Export(lines(*rows, sep=";"), (12, 30, 1))


def statistics_of_countries() -> Export:
    head = ["Country Name", "Country Code", "Indicator", *range(1960, 1990)]
    x = values(9, 30)
    rows = ([f"Country {'ABCDEFGHI'[k]}", f"C{k}X", "births", *x[k]] for k in range(9))
    return Export(lines(head, *rows), (9, 30, 1))


def engines_without_names() -> Export:
    x = values(10, 30, 4)
    rows = ([k + 1, i + 1, *x[k, i]] for k in range(10) for i in range(30))
    return Export(lines(*rows, sep=" "), (10, 30, 4), ".txt")


def repeats_of_subjects() -> Export:
    x = values(20, 12)
    rows = ([f"s{k // 4}", *x[k]] for k in range(20))
    return Export(lines(["subject", *(f"t{i}" for i in range(12))], *rows), None)


def rows_or_columns() -> Export:
    rows = ([i, *row] for i, row in enumerate(values(40, 30)))
    return Export(lines(["", *(f"S{k:02}" for k in range(30))], *rows), None)


def one_recording() -> Export:
    rows = ([i / 100, *row] for i, row in enumerate(values(100, 3)))
    names = [f"Acceleration {axis} (m/s^2)" for axis in "xyz"]
    return Export(lines(["Time (s)", *names], *rows), None)


def digit_groups() -> Export:
    rows = ([f'"{value:,.2f}"' for value in row] for row in 5000 + 1000 * values(10, 15))
    return Export(lines([f"week {k}" for k in range(15)], *rows), (10, 15, 1))


def labels_by_name() -> Export:
    rows = (["walk" if k % 2 else "run", *row] for k, row in enumerate(values(14, 24)))
    return Export(lines(["activity", *(f"v{i}" for i in range(24))], *rows), (14, 24, 1))


def separator_line() -> Export:
    rows = ([k, *comma(row)] for k, row in enumerate(values(11, 16)))
    head = ["id", *(f"t{i}" for i in range(16))]
    return Export("sep=;\n" + lines(head, *rows, sep=";"), (11, 16, 1))


def time_series_database() -> Export:
    x = values(3, 20)
    notes = "#group,false,false,true,false,false,true\n#default,_result,,,,,\n"
    head = ["", "result", "table", "_time", "_value", "host"]
    rows = (
        ["", "", k, stamp(i).replace(" ", "T") + "Z", x[k, i], f"node{k}"]
        for k in range(3)
        for i in range(20)
    )
    return Export(notes + lines(head, *rows), (3, 20, 1))


def american_dates() -> Export:
    x = values(40, 4)
    rows = ([f"{1 + i // 20}/{1 + i % 20}/2024 10:30", *x[i]] for i in range(40))
    return Export(lines(["Date/Time", *(f"Sensor {k}" for k in range(4))], *rows), (4, 40, 1))


def plate_reader() -> Export:
    wells = [f"{row}{k}" for row in "ABC" for k in (1, 2, 3, 4)]
    rows = ([f"{i // 6}:{i % 6}0:00", *row] for i, row in enumerate(values(48, 12)))
    return Export(lines(["Time", *wells], *rows), (12, 48, 1))


def sql_dump() -> Export:
    x = values(30, 5, 2)
    rows = ([stamp(i), 17 * k + 3, *x[i, k]] for i in range(30) for k in range(5))
    head = ["recorded_at", "sensor_id", "temperature", "humidity"]
    return Export(lines(head, *rows), (5, 30, 2))


def id_at_the_end() -> Export:
    x = values(15, 10, 2)
    rows = ([*x[k, i], f"walk{k}"] for k in range(15) for i in range(10))
    return Export(lines(["x", "y", "clip"], *rows), (15, 10, 2))


def gaps_in_words() -> Export:
    x = values(9, 20).astype(object)
    x[2, 5], x[4, 15:], x[7, 0] = "n.a.", "NA", "-"
    return Export(lines([f"t{i}" for i in range(20)], *x), (9, 20, 1))


def classes_without_names() -> Export:
    rows = ([k % 3 + 1, *row] for k, row in enumerate(values(15, 40)))
    return Export(lines(*rows), (15, 40, 1))


def epochs_of_conditions() -> Export:
    x = values(8, 25, 2)
    rows = (["ab"[k % 2], k, i / 100, *x[k, i]] for k in range(8) for i in range(25))
    return Export(lines(["condition", "epoch", "time", "Fz", "Cz"], *rows), (8, 25, 2))


def years_of_countries() -> Export:
    rows = ([1950 + i, *row] for i, row in enumerate(values(60, 5)))
    return Export(lines(["year", "France", "Spain", "Italy", "Peru", "Chile"], *rows), (5, 60, 1))


def days_of_hours() -> Export:
    head = ["date", *(f"{hour:02}:00" for hour in range(24))]
    rows = ([f"2024-05-{day + 1:02}", *row] for day, row in enumerate(values(28, 24)))
    return Export(lines(head, *rows), (28, 24, 1))


def rows_of_patients() -> Export:
    head = ["patient_id", "sex", "age", *(f"t{i}" for i in range(30))]
    rows = ([f"p{k}", "mf"[k % 2], 30 + k % 7, *row] for k, row in enumerate(values(12, 30)))
    return Export(lines(head, *rows), (12, 30, 1))


def two_columns() -> Export:
    return Export(lines(["x", "y"], *values(100, 2)), None)


def flowers() -> Export:
    head = ["sepal_length", "sepal_width", "petal_length", "species"]
    rows = ([*row, "abc"[k // 17]] for k, row in enumerate(values(51, 3)))
    return Export(lines(head, *rows), None)


EXPORTS: dict[str, Callable[[], Export]] = {
    make.__name__: make
    for make in (
        dates_as_names,
        interleaved_devices,
        melted,
        trials_of_subjects,
        german_spreadsheet,
        oscilloscope,
        labview,
        units_below_names,
        index_of_traces,
        commented_names,
        columns_of_blanks,
        restarting_time,
        excel_unicode,
        trailing_separators,
        statistics_of_countries,
        engines_without_names,
        repeats_of_subjects,
        rows_or_columns,
        one_recording,
        digit_groups,
        labels_by_name,
        separator_line,
        time_series_database,
        american_dates,
        plate_reader,
        sql_dump,
        id_at_the_end,
        gaps_in_words,
        classes_without_names,
        epochs_of_conditions,
        years_of_countries,
        days_of_hours,
        rows_of_patients,
        two_columns,
        flowers,
    )
}
