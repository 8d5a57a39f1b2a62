"""The figures of docs/bench.md: `python -m tests.bench` measures, and writes docs/bench.md and docs/bench.json."""
