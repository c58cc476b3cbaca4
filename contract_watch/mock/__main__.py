"""``python -m contract_watch.mock``: the command ``contract-watch mock`` under the name of this package."""

import sys

from contract_watch.commands.serve_mock import main

if __name__ == "__main__":
    sys.exit(main())
