"""Check targets against contracts."""

import os

# gRPC reads its variables once, when it is first used. They name proxies and certificate authorities, which would get the
# keys, and make it print headers where no log record passes. The Makefile's own are no variables of gRPC's.
for _name in [
    name for name in os.environ if name.upper().startswith("GRPC_") and name not in ("GRPC_TARGET", "GRPC_PORT")
]:
    os.environ.pop(_name)
