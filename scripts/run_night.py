"""``python -m scripts.run_night``: see `contract_watch.commands.run_night`."""

import sys

from contract_watch.commands.run_night import main

if __name__ == "__main__":
    sys.exit(main())
