"""Run `make false-positives`."""

import sys

from contract_watch.mutants.false_positives.command import main

if __name__ == "__main__":
    sys.exit(main())
