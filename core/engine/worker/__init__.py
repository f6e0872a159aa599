"""What runs inside the engine worker: the home of duckdb. The web process never imports it."""
