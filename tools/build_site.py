"""Builds the documentation as a site: ``python tools/build_site.py FOLDER``.

The Markdown is written for readers of the repository, whose pages lie in several folders and link
across them. Zensical takes pages from one folder, and rightly complains of every link that leads
out of it. So the pages are laid side by side first, with their links turned to the new places.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONFIGURATION = "zensical.toml"
ELSEWHERE = ("CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/RESULTS.md")
"""Pages that are not below ``docs/``."""
INDEX = "docs/README.md"
"""What the README, which is the repository's own front page, is replaced by."""
_LINK = re.compile(r"\]\((?P<target>[^)#\s:]+)(?P<anchor>#[^)\s]*)?\)")


def pages() -> dict[Path, str]:
    """Every page's path in the repository, and its name in the site."""
    found = {path: path.name for path in sorted((ROOT / "docs").glob("*.md"))}
    found.update({ROOT / name: Path(name).name for name in ELSEWHERE})
    return found


def turned(text: str, page: Path, names: dict[Path, str]) -> str:
    """The text of a page, with links that lead to where the pages lie in the site."""

    def link(match: re.Match[str]) -> str:
        target = (page.parent / match["target"]).resolve()
        if target == ROOT / "README.md":
            target = ROOT / INDEX
        if target not in names:
            return match[0]  # a picture, or a broken link, of which the build complains
        return f"]({names[target]}{match['anchor'] or ''})"

    return _LINK.sub(link, text)


def lay_out(folder: Path) -> None:
    """Put the pages, their pictures and the configuration below ``folder``."""
    names = pages()
    docs = folder / "docs"
    docs.mkdir()
    for page, name in names.items():
        (docs / name).write_text(turned(page.read_text("utf-8"), page, names), encoding="utf-8")
    for picture in (ROOT / "docs").glob("*.png"):
        shutil.copy(picture, docs)
    shutil.copy(ROOT / CONFIGURATION, folder)


def without_a_place() -> set[str]:
    """The pages that the navigation lacks, which nobody would find."""
    configuration = tomllib.loads((ROOT / CONFIGURATION).read_text("utf-8"))
    listed = set()
    for section in configuration["project"]["nav"]:
        for entries in section.values():
            for entry in entries:
                listed.update(entry.values())
    return set(pages().values()) - listed


def main() -> int:
    """Build the site into the folder that the command line names, which is made anew."""
    target = Path(sys.argv[1])
    if missing := without_a_place():
        print(f"{CONFIGURATION}: nav lacks {', '.join(sorted(missing))}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as work:
        lay_out(Path(work))
        command = [sys.executable, "-m", "zensical", "build", "--strict"]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(done.stdout + done.stderr.partition("Traceback")[0], file=sys.stderr)
            return 1
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(Path(work) / "site", target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
