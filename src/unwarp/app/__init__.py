"""The application behind the command line: jobs, runs and their reports.

The library never imports it.
"""
