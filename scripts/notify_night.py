"""``python -m scripts.notify_night``: see `contract_watch.commands.notify_night`."""

import sys

from contract_watch.commands.notify_night import main

if __name__ == "__main__":
    sys.exit(main())
