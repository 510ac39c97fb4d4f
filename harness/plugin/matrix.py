"""``--matrix``: every scenario once for each version, and a grid of behaviours and versions."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.kernels.host import interrupts, owned
from harness.plugin.images import base_selection
from harness.plugin.judge import Outcome, outcome_of
from harness.report.grid import Grid

AXES = ("keepalived", "kernel")
MIXED = "mixed"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("lvs-harness")
    group.addoption(
        "--matrix",
        action="append",
        default=[],
        metavar="AXIS=V1,V2,...",
        help="run each scenario once for each version and report a grid:"
        " keepalived=bullseye,bookworm,... (what --image"
        " and --keepalived take; old+new is both in one cluster, mixed all such pairs), or"
        " kernel=uml,PATH,...",
    )
    group.addoption(
        "--grid", metavar="FILE", help="write each behaviour's outcomes, by version, as JSON"
    )


def axis(config: pytest.Config, name: str) -> list[str]:
    """The values on one axis of the matrix, ``mixed`` spelled out. UsageError if an option is
    not understood.
    """
    values: list[str] = []
    for option in config.getoption("matrix"):
        given, equals, listed = option.partition("=")
        if given not in AXES or not equals or not all(listed.split(",")):
            raise pytest.UsageError(
                f"--matrix {option}: say keepalived=bullseye,trixie,... or kernel=uml,PATH,..."
            )
        if given == name:
            values += listed.split(",")
    return _spelled_out(values)


def _spelled_out(values: Sequence[str]) -> list[str]:
    single = [value for value in values if value != MIXED and "+" not in value]
    pairs = (
        ["+".join(pair) for pair in itertools.permutations(single, 2)] if MIXED in values else []
    )
    return list(dict.fromkeys([*(value for value in values if value != MIXED), *pairs]))


def images_asked_for(config: pytest.Config) -> list[str]:
    """All images and keepaliveds that the options name, those on the axis of keepalived too."""
    base = base_selection(config)
    columns = [name for value in axis(config, "keepalived") for name in value.split("+")]
    against = filter(None, [config.getoption("against")])
    own = base.names if base else ()
    return list(dict.fromkeys([*own, *columns, *against, *tried_on(config)]))


def tried_on(config: pytest.Config) -> list[str]:
    """The images on which a search tries what it has found."""
    return [name for name in (config.getoption("versions") or "").split(",") if name]


def pytest_configure(config: pytest.Config) -> None:
    """Collect outcomes, if they are wanted."""
    if config.getoption("matrix") or config.getoption("grid"):
        config.pluginmanager.register(_Outcomes(config))


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """With several kernels there is a run of its own on each, one after the other, and one grid
    of all.
    """
    if config.option.help or config.option.version or not (kernels := axis(config, "kernel")):
        return None
    interrupts.install()  # pytest configures its plugins only afterwards
    try:
        return _on_each(kernels, config)
    except KeyboardInterrupt:
        print("lvs-harness: interrupted before the last kernel's run had ended", file=sys.stderr)
        return pytest.ExitCode.INTERRUPTED


def _on_each(kernels: Sequence[str], config: pytest.Config) -> int:
    whole, worst = Grid(), 0
    arguments = without_kernels(config.invocation_params.args)
    with owned.scratch() as folder:
        grid = folder / "grid.json"
        for kernel in kernels:
            command = [
                sys.executable,
                "-m",
                "pytest",
                *arguments,
                f"--kernel={kernel}",
                f"--grid={grid}",
            ]
            worst = max(worst, owned.run(command, cwd=config.invocation_params.dir).returncode)
            if grid.exists():
                whole.merge(Grid.load(grid.read_text(encoding="utf-8")), Path(kernel).name)
                grid.unlink()
    print("\n".join(["behaviour x kernel", *whole.render()]))
    if (file := config.getoption("grid")) is not None:
        Path(file).write_text(whole.dump(), encoding="utf-8")
    return worst


def without_kernels(arguments: Sequence[str]) -> list[str]:
    """pytest's arguments without ``--matrix kernel=...``, in either spelling."""
    joined = "\0".join(arguments)
    return [
        each
        for each in re.sub(r"(?:^|\0)--matrix[=\0]kernel=[^\0]*", "", joined).split("\0")
        if each
    ]


@pytest.fixture(scope="session")
def _column(request: pytest.FixtureRequest) -> str | None:
    """The images of the directors, in turn, joined by ``+``; its scope has pytest run what
    shares them together.
    """
    column: str | None = getattr(request, "param", None)
    return column


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A scenario is one test for each version of keepalived."""
    if "_column" in metafunc.fixturenames and (values := axis(metafunc.config, "keepalived")):
        metafunc.parametrize(
            "_column", values, indirect=True, ids=list(map(_id, values)), scope="session"
        )


def _id(value: str) -> str:
    return "+".join(re.sub(r"[^\w.@-]", "_", Path(name).name) for name in value.split("+"))


class _Outcomes:
    """The outcomes by behaviour and column."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._grid = Grid()
        self._ids = {_id(value): value for value in axis(config, "keepalived")}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Enter it; a failure in setup or teardown counts as well."""
        if report.when == "call" or not report.passed:
            behaviour, column = self._split(report.nodeid)
            self._grid.put(behaviour, column, _in_a_word(report))

    def _split(self, nodeid: str) -> tuple[str, str]:
        """The behaviour and the column; pytest joins the names of all parameters with hyphens."""
        name, bracket, case = nodeid.partition("[")
        case = case.removesuffix("]")
        for column in self._ids if bracket else ():
            if case == column:
                return name, column
            for rest in (case.removeprefix(f"{column}-"), case.removesuffix(f"-{column}")):
                if rest != case:
                    return f"{name}[{rest}]", column
        return nodeid, ""

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the grid, and which keepalived each column is."""
        if self._grid.columns and self._ids:
            terminalreporter.section("behaviour x version")
            for line in self._grid.render(
                {name: _version(value) for name, value in self._ids.items()}
            ):
                terminalreporter.line(line)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the grid."""
        if (file := self._config.getoption("grid")) is not None:
            Path(file).write_text(self._grid.dump(), encoding="utf-8")


def _version(value: str) -> str:
    """``2.1.5+2.3.4``; the versions of a column's keepaliveds."""
    from harness.images.selection import Selection

    names = value.split("+")
    selection = Selection().with_directors(names)
    return "+".join(
        str(selection.image_of("", "director", number).keepalived) for number in range(len(names))
    )


def _in_a_word(report: pytest.TestReport) -> str:
    outcome = outcome_of(report)
    if outcome is Outcome.BUG_SHOWN:
        return "bug, as declared"
    return "FAILED" if report.failed else outcome.value
