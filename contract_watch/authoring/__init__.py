"""Help for whoever adds a contract: a skeleton to fill in, and checks that list what is still missing."""
