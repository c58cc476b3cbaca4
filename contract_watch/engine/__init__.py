"""Check targets against contracts."""

import os

# gRPC reads this variable once, when it is loaded. It would make gRPC print headers, with the keys in them, where no log
# record passes.
os.environ.pop("GRPC_TRACE", None)
