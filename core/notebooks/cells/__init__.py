"""The kinds of cell, one file each."""
