"""The report of a run: one HTML page of scores and figures.

`page.write` writes it. `sections` lists its parts, `presentation` the figures and scores of each
domain (images, series), and the files of figures draw them.
"""
