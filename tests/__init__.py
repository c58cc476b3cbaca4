"""Tests of our own machinery; the contract suite is in contract_tests/."""
