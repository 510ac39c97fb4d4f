"""What the project promises of its speed, measured: ``make bench`` runs :mod:`benchmarks.__main__`."""
