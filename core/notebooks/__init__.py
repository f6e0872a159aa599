"""Notebooks: Markdown texts whose cells follow each other's changes."""
