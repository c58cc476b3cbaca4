"""gRPC's status codes beside HTTP's, as gateways between the two translate them (google.rpc.Code documents the mapping)."""

HTTP_STATUS = {
    0: 200, 1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 11: 400, 12: 501, 13: 500,
    14: 503, 15: 500, 16: 401,
}  # fmt: skip
"""The HTTP status that stands for each code."""

_GRPC_CODE = {
    400: 3,
    401: 16,
    403: 7,
    404: 5,
    405: 12,
    409: 6,
    413: 8,
    429: 8,
    499: 1,
    500: 13,
    501: 12,
    503: 14,
    504: 4,
}


def get_http_status(code: int) -> int:
    """The HTTP status for a gRPC code; codes that gRPC does not have stand for a server that is broken."""
    return HTTP_STATUS.get(code, 500)


def guess_grpc_code(status: int) -> int:
    """The likeliest gRPC code for an HTTP status."""
    return 0 if 200 <= status < 300 else _GRPC_CODE.get(status, 2)
