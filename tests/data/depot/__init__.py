"""Depot: crates of an account, of a vendor that does not exist, with query, header and cookie parameters and a form."""
