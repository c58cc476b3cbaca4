"""The plan of a run: probes, derived from a contract before anything is sent.

`planner` derives probes from the documents, `scenarios` reads the vendor's own flows, `allowance` leaves out
equivalent ones. A probe is data with placeholders; `probe.make_request` turns a step into a request, and nothing
else does. `simulation` asks the vendor's model about requests without sending them.
"""
