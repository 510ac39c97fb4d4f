"""``python -m harness.cli``: how the command goes on in an embedded kernel."""

import sys

from harness.cli import main

sys.exit(main())
