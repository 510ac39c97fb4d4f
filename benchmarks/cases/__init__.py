"""What is timed and is no scenario: each a test, run by :func:`benchmarks.runs.pytest`."""
