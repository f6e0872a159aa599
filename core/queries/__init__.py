"""Queries: those that people save, those that ran, and the running of them."""
