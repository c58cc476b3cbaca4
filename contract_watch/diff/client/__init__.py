"""Whom a document's change breaks: the symbols of the generated client, and the version that its package needs next."""
