"""Readers of files, a file each."""
