"""What `Benchmarks/compare` is made of: libraries to measure, the record of their figures, charts and reports."""
