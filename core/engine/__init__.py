"""The DuckDB engine of a workspace: sessions over a worker process, results spooled to files."""
