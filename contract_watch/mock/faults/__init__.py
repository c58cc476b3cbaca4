"""Scripted faults: misbehaviours of the mock that a test asks for, as data.

``fault`` is one of them and ``parsing`` reads it; ``catalog`` refuses one that no served contract can play. ``calls`` is a
request as faults match it. ``delays`` and ``rate`` are distributions of latency and rate limits. ``queue`` holds the faults
that wait, ``delivery`` sends them over HTTP or raises them in process, ``files`` reads them from YAML and JSON.
"""
