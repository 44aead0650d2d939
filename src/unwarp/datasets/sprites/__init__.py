"""Parts of dSprites: grid of factors, renderer and published file.

`unwarp.datasets.dsprites` is the data set that uses them. This folder is not a data set, because
`unwarp.datasets.registry.built_in` ignores subfolders.
"""
