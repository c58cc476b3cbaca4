"""The former place of `contract_watch.errors`."""

from contract_watch.errors import UsageError

__all__ = ["UsageError"]
