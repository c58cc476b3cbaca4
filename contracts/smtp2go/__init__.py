"""SMTP2GO's contract: the SMTP users of an account."""
