"""``python -m harness.events docs/artifacts.md`` writes the table of events there anew."""

import sys
from pathlib import Path

from harness.events.table import with_table

document = Path(sys.argv[1])
document.write_text(with_table(document.read_text()))
