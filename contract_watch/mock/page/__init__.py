"""The page of the mock: the contract with requests to try, the journal, the state, faults and interpretations.

``routes`` serves it, ``files`` reads its static files, ``facts`` describes the vendors to it. ``static`` is our own HTML, CSS
and JavaScript; ``third_party`` is the renderer of OpenAPI documents, as its authors published it.
"""
