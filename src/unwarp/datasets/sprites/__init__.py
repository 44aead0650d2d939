"""Parts of dSprites: grid of factors, renderer, published file.

`unwarp.datasets.dsprites` puts them together. Folders in this package are no data sets of their
own; `unwarp.datasets.registry.built_in` lists files alone.
"""
