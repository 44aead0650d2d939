"""The application behind the command line: jobs, runs and their reports.

A job is a data source with settings. A run is the execution of a job: it trains a model with a warp
and a baseline without one, scores both, and writes the results to a folder. The other packages of
Unwarp never import this package.
"""
