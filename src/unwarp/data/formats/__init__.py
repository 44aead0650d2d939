"""Readers of files, one file for each format.

A reader is a function from a path to a `Source`, registered under a suffix by the decorator
`registry.reader`. `files.read` selects it and reads. Text formats share three files: `text` reads
lines, `cells` converts them, and `ragged` collects series of unequal lengths. Tables (`.csv` and
`.parquet`) become a `table.Table` first, and `table_layouts.read_table` converts that to series.
"""
