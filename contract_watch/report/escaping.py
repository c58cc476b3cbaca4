"""The functions of `contract_watch.escaping`, for modules that import them from here."""

from contract_watch.escaping import escape_markdown, escape_text, format_code_block

__all__ = ["escape_markdown", "escape_text", "format_code_block"]
