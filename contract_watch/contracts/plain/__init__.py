"""YAML and JSON that people and other programs write, as plain values: the one reader of what is no contract.

``reader`` reads files and texts, ``json_text`` and ``yaml_text`` their languages, ``values`` has the common limits.
"""
