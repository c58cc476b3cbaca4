"""The default model: objects that requests create, read, update and delete.

`ResourceModel` derives a vendor's behaviour from the effective document, ``contract.toml`` and ``rules.yaml``. A vendor's
``model.py`` overrides its documented methods where data does not suffice; most vendors need none.

``table``  the `[resource]` table of ``contract.toml``
``layout`` where objects stand in requests and responses
``rules_file``, ``rule``  ``rules.yaml`` and its rules
``state``  the known objects
``matchers``, ``stored_values``, ``rows``, ``pages``  the bodies of responses
``names``  names that a vendor may normalise
``credentials``, ``request_checks``, ``object_checks``  the reasons to refuse a request
``clauses`` the derived clauses
``model``  the outcomes
"""
