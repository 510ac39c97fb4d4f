"""What pytest, pytest-xdist and execnet do not document is used in two files, and still is as these
take it to be.

Where a new version of one of them has changed something, a test here fails, and says which.
"""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import execnet
import pytest
from xdist import remote
from xdist.scheduler import LoadScopeScheduling

from harness.plugin import private_xdist

ROOT = Path(__file__).resolve().parent.parent / "harness"
THEIRS = ("private_pytest.py", "private_xdist.py")
WORDS = frozenset(
    (
        "callspec",
        "capturemanager",
        "reprcrash",
        "reprtraceback",
        "reprentries",
        "stats",
        "torun",
        "terminalreporter",
    )
)
"""Names of theirs that do not begin with an underscore."""
OURS = frozenset(("_exit", "_getframe"))  # of os and sys


def private_names(source: str) -> list[str]:
    """Those that a module uses: imports of ``_pytest``, and attributes that are not its own."""
    tree, found = ast.parse(source), []
    arguments = {each.arg for each in ast.walk(tree) if isinstance(each, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("_pytest"):
            found.append(str(node.module))
        elif isinstance(node, ast.Attribute) and node.attr not in OURS:
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            private = node.attr.startswith("_") and not node.attr.startswith("__")
            if (private and not own) or (node.attr in WORDS and not own):
                found.append(node.attr)
        elif isinstance(node, ast.Constant) and node.value in WORDS:
            found.append(str(node.value))
    return [name for name in found if name not in arguments]


@pytest.mark.parametrize("room", ["plugin", "behaviours"])
def test_private_names_are_used_in_two_files_only(room: str) -> None:
    files = [file for file in sorted((ROOT / room).rglob("*.py")) if file.name not in THEIRS]
    found = {file.name: names for file in files if (names := private_names(file.read_text()))}
    assert found == {}


def test_a_private_name_is_found() -> None:
    assert private_names("from _pytest.main import Session") == ["_pytest.main"]
    assert private_names("def f(config): config._do_configure(); os._exit(0)") == ["_do_configure"]
    assert private_names("plugins.get_plugin('capturemanager')") == ["capturemanager"]
    assert private_names("item.callspec.params") == ["callspec"]
    assert private_names("class A:\n  def f(self): return self._own") == []


# -- pytest ---------------------------------------------------------------------------------------

CONFTEST = """
    import pytest
    from harness.plugin import private_pytest as private

    def pytest_runtest_makereport(item, call):
        print("parameters", private.parameters_of(item), "case", repr(private.case_of(item)))
        if call.excinfo is not None:
            entry = private.failed_in(item, call.excinfo)
            print("statement", str(entry.statement).strip())
            report = pytest.TestReport.from_item_and_call(item, call)
            private.put_first(report, ["looks like: a mistake"])
            print("message", private.message_of(report).replace(chr(10), " | "))
            return report

    def pytest_terminal_summary(terminalreporter, config):
        told = [len(private.reports(terminalreporter, name)) for name in ("passed", "failed")]
        terminalreporter.line(f"counted {told} of {len(private.reports(terminalreporter))}")
        terminalreporter.line(f"deselected {private.deselected(config)}")
        terminalreporter.line(f"terminal {private.is_a_terminal(config.get_terminal_writer())}")

    def pytest_collection_finish(session):
        private.adder_of_properties(session.config)("kernel", "a kernel")

    def pytest_unconfigure(config):
        print("status", private.exit_status(config))
"""
TESTS = """
    import pytest
    from harness.plugin import private_pytest as private

    @pytest.mark.parametrize("number", [1])
    def test_pass(number, pytestconfig):
        private.show(pytestconfig, "shown at once\\n")
        with private.uncaptured(pytestconfig):
            print("not captured")
        with private.at_the_terminal(pytestconfig):
            print("at the terminal", open("/dev/stdin").read())

    def test_fail():
        assert 1 == 2

    def test_not_selected(): pass
"""


def test_what_is_used_of_pytest(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(TESTS)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-rA",
        "-k",
        "not not_selected",
        "--junit-xml",
        "junit.xml",
    ]
    done = subprocess.run(command, input="typed", capture_output=True, text=True, cwd=pytester.path)
    pytest.LineMatcher(done.stdout.splitlines()).fnmatch_lines_random(
        [
            "*shown at once",
            "not captured",
            "at the terminal typed",
            "parameters {'number': 1} case '1'",
            "statement assert 1 == 2",
            "message looks like: a mistake | assert 1 == 2",
            "E   looks like: a mistake",
            "counted [[]1, 1[]] of 6",
            "deselected 1",
            "terminal False",
            "status 1",
        ]
    )
    assert '<property name="kernel" value="a kernel"' in (pytester.path / "junit.xml").read_text()


def test_a_session_collects_and_shows_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it="def test_it(): pass")
    pytester.makepyfile(
        collects="""
        from harness.plugin import private_pytest as private
        from _pytest.config import _prepareconfig
        config = _prepareconfig(["test_it.py"])
        session = private.session_that_collects(config)
        session.perform_collect()
        print([item.name for item in session.items])
        """
    )
    done = pytester.runpython(pytester.path / "collects.py")
    assert done.stdout.str().strip() == "['test_it']"


def test_an_exit_of_our_own_ends_the_run_with_its_status_and_its_message(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        """
        from harness.plugin.clusters import Unusable

        def test_it(): raise Unusable("the files cannot be used", 4)
        """
    )
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["*! lvs-harness: the files cannot be used !*"])


# -- pytest-xdist and execnet ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["_split_scope", "_assign_work_unit", "_reschedule", "_pending_of", "schedule", "remove_node"],
)
def test_what_the_scheduler_overrides_or_calls_is_there(name: str) -> None:
    assert callable(getattr(LoadScopeScheduling, name))


def test_the_scheduler_has_the_collections_that_ours_changes(pytester: pytest.Pytester) -> None:
    scheduler = LoadScopeScheduling(pytester.parseconfig("--tx", "popen"))
    assert scheduler.collection is None
    assert not scheduler.workqueue
    assert not scheduler.assigned_work
    assert not scheduler.nodes


def test_the_process_of_a_worker_is_known() -> None:
    group = execnet.Group()
    try:
        gateway = group.makegateway("popen")
        pid = gateway.remote_exec("import os; channel.send(os.getpid())").receive()
        assert private_xdist.pid_of(gateway) == pid
    finally:
        group.terminate(timeout=1)


def test_a_worker_says_when_it_waits() -> None:
    said: list[str] = []

    class Interactor:
        torun = remote.TestQueue(_main_thread_only())

    class Plugins:
        def get_plugins(self) -> list[object]:
            return [object(), interactor]

    class Config:
        pluginmanager = Plugins()

    def waits() -> None:
        said.append("waits")
        interactor.torun.put(1)

    interactor = Interactor()
    private_xdist.call_around_waiting(
        Config(),  # type: ignore[arg-type]
        before=waits,
        after=lambda: said.append("goes on"),
    )
    assert interactor.torun.get() == 1
    assert said == ["waits", "goes on"]
    interactor.torun.put(2)
    assert interactor.torun.get() == 2
    assert said == ["waits", "goes on", "goes on"]


def _main_thread_only() -> object:
    from execnet.gateway_base import get_execmodel

    return get_execmodel("main_thread_only")


def test_the_interactor_asks_its_queue() -> None:
    source = inspect.getsource(remote.WorkerInteractor)
    assert "self.torun.get()" in source
