"""`python -m benchmarks`: measures everything and writes the figures into docs/performance.md."""
