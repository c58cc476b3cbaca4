"""ZITADEL: SMTP configurations of an instance, and the password of their SMTP server."""
