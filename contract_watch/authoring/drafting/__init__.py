"""A contract of data, drafted from a vendor's OpenAPI document.

``chosen_operations``  the operations that the user names, with their kinds
``document_cut``       the part of the document that they need
``operation_ids``      their ids
``resource_shape``     the objects: their ids, marks and rows
``credential_shape``   the location of the key
``page_shape``         the paging of the list
``corrections``, ``missing_responses``, ``required_properties``, ``request_examples``  the overlay
``settings``, ``toml_text``  ``contract.toml``
``unique_property``    the property that only one object can have
``trial``              a run of the draft against its own mock, for what only a run tells
``draft``              all of it
"""
