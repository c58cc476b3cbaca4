"""Compare published documents, generated clients, and overlays against new documents."""

from contract_watch.diff.document import Comparison, compare

__all__ = ["Comparison", "compare"]
