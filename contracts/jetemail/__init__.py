"""JetEmail: SMTP users ("smarthosts") of an account."""
