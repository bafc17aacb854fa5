"""How fast the product is, as ratios between things measured in the same run. `python -m benchmarks` runs them all."""
