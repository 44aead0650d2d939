"""The web explorer: a local server of one page that shows a model and a collection.

    unwarp explore runs/digits

`server.serve` opens a run or a model, embeds its samples once and answers the page.
"""
