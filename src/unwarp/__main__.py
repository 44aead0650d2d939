"""The command line as a module: `python -m unwarp` does the same as `unwarp`.

Use it to choose the interpreter, or if the script `unwarp` is not on the search path:

    python -m unwarp fit digits --out runs/digits
"""

from unwarp.app.cli.main import main

main()
