"""JetEmail's contract: the SMTP users ("smarthosts") of an account."""
