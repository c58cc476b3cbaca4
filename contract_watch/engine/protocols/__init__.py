"""The protocols that carry requests to a target: REST, gRPC and gRPC-web over one bounded connection.

`protocol` has the interface of a protocol; `wire` has REST, `grpc_protocols` the two others. Each encodes a model's
`Request` as an `EncodedRequest`, sends it through a `Wire` or a gRPC channel, and gives the response in the form of
REST. `exchange` pairs a request with its response for the reports. `targets` reads the option TARGET. Nothing here
knows of probes or accounts: a gate from above is a `RequestGate`.
"""
