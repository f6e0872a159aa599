"""How fast Millpond is, beside what it stands on: ratios of alternating runs, never a test.

`uv run python -m benchmarks.engine`, `.browser` and `.start` measure and write results.json;
`.table` makes docs/benchmarks.md of it.
"""
