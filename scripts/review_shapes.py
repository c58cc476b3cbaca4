"""``python -m scripts.review_shapes``: see `contract_watch.commands.review_shapes`."""

import sys

from contract_watch.commands.review_shapes import main

if __name__ == "__main__":
    sys.exit(main())
