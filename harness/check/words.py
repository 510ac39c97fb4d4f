"""The words that keepalived takes somewhere in its configuration, in releases 2.1.5 to 2.3.4.

A word that it does not know and that is much like one of these is probably mistyped. ``words.txt``
has every name that keepalived's sources hand to ``install_keyword`` and its like.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

WORDS: Final = frozenset(Path(__file__).with_name("words.txt").read_text("utf-8").split())
