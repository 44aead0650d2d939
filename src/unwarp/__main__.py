"""`python -m unwarp`."""

from unwarp.cli import main

main()
