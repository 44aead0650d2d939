"""Parts of dSprites: the grid of factors, the renderer and the published file.

`unwarp.datasets.dsprites` is the data set that uses them. This folder is not a data set, because
`unwarp.datasets.registry.built_in` ignores subfolders.
"""
