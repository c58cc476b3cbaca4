"""Comparison of published documents, of the clients generated from them, and of overlays with new documents.

`document`
    compares two OpenAPI documents and returns the changes, each with its level.
`client`
    compares two generated clients, and finds the change of the document behind each change of a symbol.
`overlay_check`
    finds the overlay actions that no longer match a new document.
`published_document`, `document_check`, `document_findings`, `document_waivers`, `document_watch`, `comparison_text`, `rules_page`
    get the vendors' documents, check them, and report the changes as findings, as text, and as a page of rules.
`acceptance`, `atomic_replacement`, `changelog`
    replace the stored document and everything that follows from it, or nothing.
"""

from contract_watch.diff.document import Comparison, compare

__all__ = ["Comparison", "compare"]
