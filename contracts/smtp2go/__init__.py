"""SMTP2GO: SMTP users of an account."""
