"""``python -m scripts.check_last_night``: see `contract_watch.commands.check_last_night`."""

import sys

from contract_watch.commands.check_last_night import main

if __name__ == "__main__":
    sys.exit(main())
