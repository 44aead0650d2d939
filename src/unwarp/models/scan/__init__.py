"""Poses of noisy pictures, by a scan over all poses."""
