"""What stands between a run and a real account: below every test and every library, where none of them can go round it."""
