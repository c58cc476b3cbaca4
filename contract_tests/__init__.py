"""The contract suite: what other teams and the nightly run point at a target."""

import os

# gRPC's own code, which no log record passes through, would print headers with the keys in them; it looks here once,
# when it is loaded.
os.environ.pop("GRPC_TRACE", None)
