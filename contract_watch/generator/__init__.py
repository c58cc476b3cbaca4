"""Client packages, generated from effective documents.

`outputs` writes ``generated/<slug>/`` and finds stale files; it runs openapi-python-client in a child process and ruff on
the result. `configuration` holds the settings and the preparation of the document, for every caller that runs the
generator or asks it for names. `client_templates` changes the generator's own templates, and `descriptors` compiles the
gRPC descriptors.
"""
