"""``python -m scenarios.conformance FILE...``: the page, from what ``pytest --conformance
FILE`` wrote each time.
"""

import sys
from pathlib import Path

from harness.errors import HarnessError
from scenarios.conformance import page


def main() -> None:
    """Print the page; on a mistake say what it is."""
    if len(sys.argv) < 2:
        sys.exit("usage: python -m scenarios.conformance FILE... (from pytest --conformance FILE)")
    try:
        print(
            page.render(*(Path(name).read_text(encoding="utf-8") for name in sys.argv[1:])), end=""
        )
    except (HarnessError, OSError) as problem:
        sys.exit(f"scenarios.conformance: {problem}")


if __name__ == "__main__":
    main()
