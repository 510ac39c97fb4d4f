"""What a process has imported, handed to an interpreter elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.kernels import imports

MODULES = {
    "grown/__init__.py": "from grown import inner",
    "grown/inner.py": "VALUE = 1",
    "grown/rest.py": "VALUE = 2",
}
ASKED = """
import os, sys
from harness.kernels import imports
imports.install(os.open(sys.argv[1], os.O_RDONLY))
import grown, grown.rest
inner = grown.inner
loader = type(grown.__spec__.loader).__name__
print(inner.VALUE, loader, grown.__path__ == [sys.argv[2]], inner.__file__)
print(grown.rest.VALUE, type(grown.rest.__spec__.loader).__name__)
"""


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a process that has imported a package and one of its modules, which are
    compiled.
    """
    for name, text in MODULES.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        os.utime(file, (1, 1))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for name in ("grown", "grown.inner"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import grown  # type: ignore[import-not-found]

    assert grown.inner.VALUE == 1
    given = tmp_path / "imports"
    given.write_bytes(imports.gather())
    return given


def ask(given: Path) -> list[str]:
    """What another interpreter says of the package."""
    path = os.pathsep.join([str(given.parent), str(Path(__file__).parents[1])])
    argv = [sys.executable, "-S", "-c", ASKED, str(given), str(given.parent / "grown")]
    return subprocess.run(
        argv, env={"PYTHONPATH": path}, capture_output=True, text=True, check=True
    ).stdout.split("\n")


def test_modules_come_from_the_file_and_look_as_always(given: Path) -> None:
    """The others come from where they always come from."""
    inner = given.parent / "grown/inner.py"
    inner.write_text("VALUE = 3")  # too late: it had been gathered
    assert ask(given)[:2] == [f"1 _Loader True {inner}", "2 SourceFileLoader"]


def test_what_is_newer_than_its_compiled_code_is_not_gathered(given: Path) -> None:
    """Whoever may not write beside the sources has old code there for ever."""
    (given.parent / "grown/inner.py").write_text("VALUE = 3")
    given.write_bytes(imports.gather())
    assert ask(given)[0].startswith("3 ")
