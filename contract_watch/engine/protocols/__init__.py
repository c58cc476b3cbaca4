"""Carry requests and responses: REST, gRPC and gRPC-web."""
