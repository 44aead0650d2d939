"""The command line's application: jobs, runs and their reports. The library never imports it."""
