"""Connections: the sources of a workspace, by alias, and what they may reach."""
