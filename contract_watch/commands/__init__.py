"""The commands: a module for each, with a ``main`` that parses options and calls the library.

`console` is the entry point ``contract-watch``, which also is ``python -m contract_watch``; the Makefile calls the same
functions.
"""
