"""`python -m unwarp`."""

from unwarp.app.cli.main import main

main()
