"""The search: random sequences of deeds on a living cluster, judged by invariants."""
