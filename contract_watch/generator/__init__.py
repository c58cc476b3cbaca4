"""Client packages, generated from effective documents.

`outputs` writes ``generated/<slug>/`` and finds stale files; it runs openapi-python-client in a child process and ruff on
the result. `configuration` holds the settings and the preparation of the document, for every caller that runs the
generator or asks it for names. `client_templates` changes the generator's own templates, with the values of `client_facts`,
and `descriptors` compiles the gRPC descriptors.

`operations` builds the methods of the door with their documentation, where `constraints` says a schema's limits in words.
`model_properties` gives models open enumerations, conversions and hidden secrets. `client_runtime` holds the modules that
every client shares.

Documents are written by strangers. `prose` escapes their texts before the generator sees them; `generator_process` gives
templates the functions of `contract_watch.escaping`; `readme_example` makes the README's example from our own values.
`naming` reserves names that the generated code uses, and `name_checks` refuses names and values that the client would
change. `client_trial` imports and exercises a new client in a process of its own (`client_exercise`, a program) with
`client_samples`, before `make accept` replaces the old one.
"""
