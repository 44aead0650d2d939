"""The report of a run: one HTML page of scores and figures.

`page.write_report` writes the page. The module `sections` makes its sections. `presentation` lists
the figures and scores for each domain (images or series), which the other modules draw and compute.
"""
