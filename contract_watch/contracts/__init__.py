"""Contracts: each vendor's promises, and the types that state and check them.

A contract is a directory ``contracts/<slug>/``. `registry` loads it: `Contract` reads ``contract.toml`` into the types
of `config`, the published document through `openapi`, and the corrections through `overlay`, which together give the
effective document. `clauses` derives every checkable promise from that document and from the model's rules.

The vendor's behaviour is a `model.Model`: a pure function from a state and a `request.Request` to the outcomes
(`outcomes`) that the contract allows. The mock answers the first outcome; the suite accepts any of them and continues
from its state. An outcome's body is a matcher (`matchers`), which renders a value for the mock and finds the mismatches
of a response for the suite. A request that fails several checks has an outcome for each, because documents seldom order
them. What the documents leave open is an interpretation: the mock follows one value, and each response of a target
narrows the values that the suite still allows.

`schema` validates JSON against the document's schemas, reads values by their path, and finds undocumented properties;
`headers` parses the documented response headers, and `samples` builds values that conform to a schema. `protobuf`,
`grpc_web_frames` and `grpc_codes` translate between gRPC and the JSON that the models use, so all protocols share one
model. `redaction` and `encodings` remove secrets from everything
that is stored or printed.

Contracts may be anywhere: `directories` finds them, and `vendor_package` imports their modules. The package imports nothing of
the project but `contract_watch.errors` and names of `contract_watch.cli`.
"""
