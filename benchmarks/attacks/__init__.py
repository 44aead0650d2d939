"""Attacks on the library: bad inputs, mutated files, mutants of the source, unreached lines."""
