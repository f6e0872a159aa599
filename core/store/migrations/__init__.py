"""How the tables came to be, one step a file: `versions/vNNNN_name.py`, numbered without gaps.

A step is written by hand in Alembic's operations, runs on SQLite and PostgreSQL, imports nothing
of the program, and is never changed once released. A test compares the last one with the tables
that the slices declare.
"""
