"""Scripted faults: misbehaviours of the mock that a test asks for.

``fault`` is one of them, ``queue`` those that wait, ``delivery`` sends them over HTTP.
"""
