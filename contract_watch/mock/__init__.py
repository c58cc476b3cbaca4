"""The mock: any contract's model as a server, with state, scripted faults and a journal.

The command ``contract-watch mock`` serves vendors on one port with `server.serve`; tests serve them in a thread with
`server.run_in_thread`, or through the package ``contract_watch.testing``. The mock has no rules of its own, so it follows
every change of a contract.

A request passes these modules. `protocol` is HTTP with limits, and `hosts` the addresses. `app.Mock` is the ASGI
application; it asks `router`, which splits a path as it was sent. `endpoint.VendorEndpoint` reads the request with `bodies`,
`content_coding` and `media_types`. `vendor.MockVendor` asks the contract's model for the allowed outcomes, renders the first
one and keeps its next state. `unmatched` answers all other paths and `nearest` explains them; `cors` is for browsers,
`token_endpoint` and `tokens` are for access tokens. The package `grpc` answers gRPC calls through the same model.

The journal: `journal` keeps the last exchanges and redacts them when they are read, `call_query` selects some, `call_log`
prints a line for each.

A test shapes a mock below ``/__mock/``: `controls` (health, calls, interpretations), `state_controls` (state, snapshots,
clock) and `fault_controls`; `control_access` keeps web pages and other machines away. `preset` reads
objects to begin with, `snapshots` are states to return to, `clock` is the time that vendors see. The package `faults` holds
scripted misbehaviours, `recording` sessions (with `difference`), `persistence` the state file, `page` the page; `files` opens
those of a served mock.

Each path without parameters is found in a dictionary, and a vendor's endpoint is plain ASGI, because load tests of other
teams run against the mock.
"""
