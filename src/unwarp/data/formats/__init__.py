"""Readers of files, one module for each format.

A reader is a function from a path to a `Source`. The decorator `registry.reader` registers it for a
file name suffix, and `files.read` calls the reader for the suffix of a path. The readers of text
formats share three modules: `text` reads lines, `cells` converts cells to numbers, times and
labels, and `ragged` collects series of unequal lengths. A table (`.csv` or `.parquet`) becomes a
`table.Table` first, and `table_layouts.read_table` converts it to series.
"""
