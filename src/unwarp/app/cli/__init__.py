"""The commands of `unwarp`."""
