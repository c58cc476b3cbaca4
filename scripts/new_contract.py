"""``python -m scripts.new_contract``: see `contract_watch.commands.new_contract`."""

import sys

from contract_watch.commands.new_contract import main

if __name__ == "__main__":
    sys.exit(main())
