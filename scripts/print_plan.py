"""``python -m scripts.print_plan``: see `contract_watch.commands.print_plan`."""

import sys

from contract_watch.commands.print_plan import main

if __name__ == "__main__":
    sys.exit(main())
