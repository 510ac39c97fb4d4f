"""Sequences that nobody wrote: drawn at random, judged by invariants."""
