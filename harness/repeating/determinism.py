"""Whether the same seed gives the same timelines.

    python -m harness.repeating.determinism [--seed N] scenarios/ ...

In virtual time a timeline depends on the scenarios, the seed and nothing else. To show it,
scenarios are run twice with one seed, the second time at length, in a terminal, with all of this
machine's CPUs busy; and once with another seed, which must show.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from harness import received
from harness.errors import HarnessError
from harness.kernels.host import owned

TIMELINE = "timeline.jsonl"
ARTIFACTS = Path("artifacts", "determinism", str(os.getpid()))  # several may run at a time
_IN_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
_RAN = (0, 1)  # pytest.ExitCode: all passed, or some failed, which repeats as well


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and compare; prints a table. The exit status is 0 if only the other seed gave other
    timelines, else 1.
    """
    parser = argparse.ArgumentParser(
        prog="python -m harness.repeating.determinism", description=__doc__.partition("\n")[0]
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of the two runs to compare (default: %(default)s)"
    )
    options, selection = parser.parse_known_args(arguments)
    try:
        first = run(selection, options.seed)
        with busy_machine():
            second = run(selection, options.seed, terminal=True)
        other = run(selection, options.seed + 1)
    except HarnessError as problem:
        print(f"determinism: {problem}", file=sys.stderr)
        return 1
    differing = differences(first, second)
    width = max(map(len, first | second))
    for scenario in sorted(first | second):
        print(f"{scenario:<{width}}  {differing.get(scenario, 'identical')}")
    changed = len(differences(first, other))
    print(f"seed {options.seed} twice: {len(differing)} of {len(first | second)} timelines differ")
    print(
        f"seed {options.seed + 1} instead: {changed} differ"
        + ("" if changed else ", so the seed has no effect")
    )
    return 1 if differing or not changed else 0


def run(
    selection: Sequence[str], seed: int, artifacts: Path = ARTIFACTS, *, terminal: bool = False
) -> dict[str, bytes]:
    """Run the selected scenarios (pytest's arguments) in virtual time: scenario -> its timeline.

    With ``terminal`` pytest has one of its own, which it tells more, and in colours.

    Raises HarnessError when they cannot be run, or when there is nothing to compare.
    """
    before = set(artifacts.glob("*"))
    options = ["--clock", "virtual", "--seed", str(seed), "--artifacts", str(artifacts)]
    loudness = "-v" if terminal else "-q"
    command = [sys.executable, "-m", "pytest", loudness, *selection, *options]
    if terminal:
        command = [sys.executable, "-c", _IN_A_TERMINAL, *command]
    status = owned.run(command).returncode
    if status not in _RAN:
        raise HarnessError(f"pytest ended with {status}, see above; mend that first")
    made = set(artifacts.glob("*")) - before
    found = {
        name: received.read(folder, f"{name}/{TIMELINE}")
        for folder in made
        for name in received.folders(folder)
        if received.has(folder, f"{name}/{TIMELINE}")
    }
    if not found:
        raise HarnessError(
            f"nothing to compare: pytest {' '.join(selection)} left no {TIMELINE}; select scenarios"
        )
    return found


_TIMES = frozenset(("at", "since", "earliest", "latest", "measured", "latency"))
"""The fields of events that are times."""


def differences(first: Mapping[str, bytes], second: Mapping[str, bytes]) -> dict[str, str]:
    """Scenario -> the first line that differs, in both versions, for those whose timelines are not
    the same bytes.
    """
    return {
        scenario: _first_difference(first.get(scenario, b""), second.get(scenario, b""))
        for scenario in sorted(first.keys() | second.keys())
        if first.get(scenario) != second.get(scenario)
    }


def drift(first: bytes, second: bytes) -> float | None:
    """The longest time, in seconds, by which two timelines of the same events in the same order
    differ anywhere; None if they differ in anything else.

    Another build of Python or of a library reads the clock once more or less, which in virtual time
    is 256 ns.
    """
    lines, others = first.splitlines(), second.splitlines()
    if len(lines) != len(others):
        return None
    longest = 0.0
    for line, other in zip(lines, others, strict=True):
        if line == other:
            continue
        try:
            one, two = received.parse(line), received.parse(other)
        except ValueError:  # somebody else's may be damaged
            return None
        if not (isinstance(one, dict) and isinstance(two, dict) and one.keys() == two.keys()):
            return None
        for name in one:
            if one[name] == two[name]:
                continue
            if not (
                name in _TIMES and isinstance(one[name], float) and isinstance(two[name], float)
            ):
                return None
            longest = max(longest, abs(one[name] - two[name]))
    return longest


def _first_difference(first: bytes, second: bytes) -> str:
    pairs = zip_longest(
        *(text.decode(errors="replace").splitlines() for text in (first, second)),
        fillvalue="(nothing)",
    )
    for number, (one, two) in enumerate(pairs, start=1):
        if one != two:
            return f"differs from line {number} on\n  < {one}\n  > {two}"
    return "differs in its line ends"


@contextlib.contextmanager
def busy_machine() -> Iterator[None]:
    """Keep all CPUs busy that this process may use."""
    spin = [sys.executable, "-S", "-c", "while True: pass"]
    spinning = [subprocess.Popen(spin) for _ in os.sched_getaffinity(0)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
