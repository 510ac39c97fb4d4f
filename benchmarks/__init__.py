"""What the project promises of its speed, measured: ``make bench`` runs
:mod:`benchmarks.__main__`.
"""

from pathlib import Path

MUNET = Path(__file__).parent.parent / ".venv/munet"
"""Where ``make bench`` installs munet and what that needs, apart from what the harness is installed
with.
"""

EVIDENCE = "STOPWATCH_EVIDENCE"
"""In the environment of a run: after each test compare its events with frames and with the
protocol's arithmetic.
"""
