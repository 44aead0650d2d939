"""The families of models, one file each.

A new file with a `Recipe` registers a new family.
"""
