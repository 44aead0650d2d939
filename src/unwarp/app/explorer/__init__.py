"""The web explorer: a local server of one page.

The page shows a model and a collection of samples.

    unwarp explore runs/digits

`server.serve` opens a run or a model, embeds its samples once and answers the page.
"""
