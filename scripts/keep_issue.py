"""``python -m scripts.keep_issue``: see `contract_watch.commands.keep_issue`."""

import sys

from contract_watch.commands.keep_issue import main

if __name__ == "__main__":
    sys.exit(main())
