"""`python -m baton_handoff`: the command `handoff`, where it is not on PATH."""

import sys

from baton_handoff.cli import main

if __name__ == "__main__":
    sys.exit(main())
