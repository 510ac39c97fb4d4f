"""Where the topologies and scenarios are that come with the harness.

In a checkout they lie beside the package. A wheel has them inside it, in ``harness/shipped/``:
names as general as ``topologies`` do not belong into everybody's ``site-packages``. That folder is
no package itself, so that pytest, given ``--pyargs harness.shipped.scenarios``, finds
``topologies`` beside the scenarios just as in a checkout.
"""

from __future__ import annotations

import sys
from pathlib import Path

import harness

TOPOLOGIES, SCENARIOS = "topologies", "scenarios"


def home() -> Path:
    """The folder that holds the packages ``topologies`` and ``scenarios`` of this installation."""
    package = Path(harness.__file__).parent
    shipped = package / "shipped"
    return shipped if shipped.is_dir() else package.parent


def make_importable() -> None:
    """Let ``from topologies.director_pair import ...`` find what was shipped, after all else.

    It comes last on the path, so that a folder ``topologies`` of the user's own goes before it.
    """
    if str(home()) not in sys.path:
        sys.path.append(str(home()))
