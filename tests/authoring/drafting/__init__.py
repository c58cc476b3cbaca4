"""Tests of the drafts of contracts."""
