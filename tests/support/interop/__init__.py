"""Clients that others wrote, and the environments they run in: none is a dependency of the project."""
