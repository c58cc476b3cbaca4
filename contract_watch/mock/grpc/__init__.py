"""gRPC in the mock: calls decoded to the JSON of REST, answered by the same model.

``calls`` answers one call, ``web`` serves gRPC-web on the port of REST, ``native`` serves HTTP/2 on a port of its own.
"""
