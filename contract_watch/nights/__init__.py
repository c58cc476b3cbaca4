"""Nights: run every check of every vendor once, remember the results, and tell people.

`night_file` reads and writes ``night.json``, the result of one night for all vendors (``night.schema.json`` is its schema).
Everything that tells people of a night reads that file alone: the page, the tracker's issues, SARIF, the webhook.
"""
