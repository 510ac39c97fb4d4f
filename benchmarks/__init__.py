"""What the project promises of its speed, measured: ``make bench`` runs :mod:`benchmarks.__main__`."""

EVIDENCE = "STOPWATCH_EVIDENCE"
"""In the environment of a run: after each test compare its events with frames and with the protocol's arithmetic."""
