"""ZITADEL's contract: the SMTP configurations of an instance, and the passwords of their SMTP servers."""
