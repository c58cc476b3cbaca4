"""The translation between gRPC and HTTP status codes that gateways use; google.rpc.Code documents it."""

HTTP_STATUS = {
    0: 200, 1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 11: 400, 12: 501, 13: 500,
    14: 503, 15: 500, 16: 401,
}  # fmt: skip
"""The HTTP status of each gRPC code."""

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
    """Return the HTTP status for a gRPC code, 500 for an unknown one."""
    return HTTP_STATUS.get(code, 500)


def guess_grpc_code(status: int) -> int:
    """Return the most likely gRPC code for an HTTP status."""
    return 0 if 200 <= status < 300 else _GRPC_CODE.get(status, 2)
