"""The mock: any contract's model as a server, with state, scripted faults and a journal.

The command ``contract-watch mock`` (`server`) serves every vendor on one port; tests serve it in a thread with
`server.run_in_thread`. `app.Mock` is the ASGI application. It routes each path to an `endpoint.VendorEndpoint`, which passes
the request to `vendor.MockVendor`: that one asks the contract's model for the allowed outcomes, renders the body of the first
one and keeps its next state. The mock has no rules of its own, so it follows every change of a contract.

`grpc` answers gRPC calls through the same model. `faults` are scripted misbehaviours, `controls` the endpoints below
``/__mock/`` for health, state, calls, faults and interpretations. `journal` keeps the last exchanges and redacts them when
they are read. `bodies` reads and writes bounded JSON bodies. `clock` is the time that vendors see; tests can set it.

Each path without parameters is found in a dictionary, and a vendor's endpoint is plain ASGI, because load tests of other
teams run against the mock.
"""
