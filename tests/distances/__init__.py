"""Tests of `unwarp.distances`."""
