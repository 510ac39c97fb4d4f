"""What there is to run, found out in a process of its own, so that nothing of it stays behind in
this one.

That process runs code of the user's: the modules of scenarios, and the ``build()`` of topologies.
Each of these can end it, or never end. It says what it begins with before it begins, so that
whatever ended it has a name.
"""

from __future__ import annotations

import marshal
import os
import select
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from harness.errors import HarnessError
from harness.kernels import choice, imports, wire
from harness.kernels.calls import linux
from harness.kernels.host.watchdog import Watchdog
from harness.plugin import parallel, private_pytest
from harness.plugin.images import base_selection
from harness.plugin.specs import spec_of, unit_of
from harness.plugin.survey import Survey, survey_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.spec import ClusterSpec

_LENGTH = 4
"""Bytes before each message that say how long it is."""


class CollectorDied(Exception):
    """Why it is not known what there is to run. It is no verdict about anything that was to run."""


def look(config: pytest.Config) -> Survey:
    """Collect, and build each topology once. Where collecting itself fails, nothing is found: the
    run shows why.

    Raises HarnessError if an option names what no topology has, :class:`CollectorDied` if
    collecting ended or never ended the process. A topology that does either is wrong, and the
    others are looked at by another process.
    """
    fatal: dict[str, str] = {}
    while True:
        with _Collector(config, fatal) as collector:
            answer = collector.answer(config.getoption("watchdog"))
        if answer is None:
            if (topology := collector.topology) is None:
                raise CollectorDied(f"the process that collects the scenarios {collector.end}")
            fatal[topology] = (
                f"its topology cannot be built: the process that called it {collector.end}"
            )
        elif "error" in answer:
            raise HarnessError(answer["error"])
        else:
            return Survey(**answer)


class _Collector:
    """The process. ``end`` says how it has ended, and ``topology`` of which scenario it built
    the topology then.
    """

    def __init__(self, config: pytest.Config, fatal: dict[str, str]) -> None:
        self.topology: str | None = None
        self.end = ""
        self._file = ""
        self._held = b""
        self._reader, writer = os.pipe()
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._reader)
            _collect_and_exit(config, fatal, writer, parent)
        os.close(writer)
        self._pidfd = os.pidfd_open(self._pid)

    def __enter__(self) -> _Collector:
        return self

    def __exit__(self, *_: object) -> None:
        """End what is left of it, and of what it started."""
        with suppress(ProcessLookupError):  # it has not made its group yet
            os.killpg(self._pid, signal.SIGKILL)
        os.kill(self._pid, signal.SIGKILL)
        ended = os.waitpid(self._pid, 0)[1]
        self.end = self.end or _how(os.waitstatus_to_exitcode(ended), self._file)
        for descriptor in (self._reader, self._pidfd):
            os.close(descriptor)

    def answer(self, limit: float) -> dict[str, Any] | None:
        """What it has found; None if it has died, or was ended since it began nothing new for
        ``limit`` seconds.
        """
        watchdog = Watchdog(limit, self._pid)
        watchdog.feed()
        sources = [self._reader, self._pidfd]
        while True:
            ready, _, _ = select.select(sources, [], [], watchdog.left())
            if self._reader in ready:
                if not (data := os.read(self._reader, 1 << 16)):
                    sources.remove(self._reader)
                self._held += data
                watchdog.feed()
                for message in self._messages():
                    if "answer" in message:
                        answer: dict[str, Any] = message["answer"]
                        return answer
                    self.topology, self._file = message.get("topology"), message.get("file", "")
            elif ready:
                return None
            elif watchdog.expired():
                what = f" {self._file}" if self._file else ""
                self.end = f"did not end{what} within {limit:g} s (--watchdog)"
                return None

    def _messages(self) -> Iterator[dict[str, Any]]:
        """Those that have come whole."""
        while len(self._held) >= _LENGTH:
            end = _LENGTH + int.from_bytes(self._held[:_LENGTH], "big")
            if len(self._held) < end:
                return
            message, self._held = marshal.loads(self._held[_LENGTH:end]), self._held[end:]
            yield message


def _how(status: int, file: str) -> str:
    where = f", at {file}" if file else ""
    if status == -signal.SIGKILL:
        return f"was killed{where} (SIGKILL), by hand or because the machine has no memory left"
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}{where}"
    return f"ended with status {status} before it was done{where}"


# -- in that process -------------------------------------------------------------------------------


def _collect_and_exit(
    config: pytest.Config, fatal: dict[str, str], writer: int, parent: int
) -> NoReturn:
    try:
        os.setpgid(0, 0)
        linux.die_with_parent(parent)
        null = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(null, standard)
        teller = _Teller(writer)
        try:
            answer = _collect(config, fatal, teller)
        except (HarnessError, pytest.UsageError) as problem:
            answer = {"error": str(problem)}
        except (Exception, SystemExit) as problem:  # of collecting: the run that follows shows it
            answer = {"failed": f"{type(problem).__name__}: {problem}"}
        teller.say(answer=answer)
    finally:
        os._exit(0)


class _Teller:
    """Says what is begun."""

    def __init__(self, writer: int) -> None:
        self._writer = writer

    def say(self, **message: object) -> None:
        data = marshal.dumps(message)
        with suppress(BrokenPipeError):  # the run has been killed
            wire.write_all(self._writer, len(data).to_bytes(_LENGTH, "big") + data)

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        """Of files only: what is in them is code that has run by then."""
        if isinstance(collector, pytest.File):
            self.say(file=collector.nodeid)

    def pytest_collectreport(self) -> None:
        """What was begun is done: what follows has time of its own."""
        self.say()


def _collect(config: pytest.Config, fatal: dict[str, str], teller: _Teller) -> dict[str, Any]:
    automatic, alone = parallel.automatic(config), not parallel.workers_wanted(config)
    parallel.stay_alone(config)
    config.pluginmanager.register(teller)
    session = private_pytest.session_that_collects(config)
    teller.say()
    session.perform_collect()
    users = [item for item in session.items if "lvs_kernel" in getattr(item, "fixturenames", ())]
    on_clusters = [item for item in users if parallel.on_cluster(item)]
    planned = _Planned(fatal)
    teller.say()
    for item in on_clusters:
        planned.add(item, teller)
    if not planned.wrong and on_clusters:
        _check_names(base_selection(config), planned.names)
    teller.say()
    clusters = {item.nodeid: unit_of(item) for item in on_clusters}
    survey_of(config).machines = planned.most
    teller.say()
    workers = parallel.workers_that_pay(config, clusters, _virtual(config)) if automatic else None
    return {
        "items": len(session.items),
        "users": len(users),
        "deselected": private_pytest.deselected(config),
        "workers": workers,
        "machines": planned.most,
        "modules": imports.gather() if alone or (automatic and workers is None) else b"",
        "shard": survey_of(config).shard,
        "clusters": clusters,
        "wrong": planned.wrong,
        "fatal": {
            name: problem for name, problem in planned.wrong.items() if problem in fatal.values()
        },
    }


def _virtual(config: pytest.Config) -> bool:
    """Whether time will be virtual. Where there is no kernel at all, the run that follows says
    so.
    """
    option = config.option
    try:
        return choice.choose(option.kernel, option.clock, option.seed).virtual
    except HarnessError:
        return True


class _Planned:
    """Topologies that have been built once: the ``most`` machines that one has, all ``names``
    of their nodes.
    """

    def __init__(self, fatal: dict[str, str]) -> None:
        from harness.check.configured import Configured
        from harness.images.selection import ROLES

        self._configured = Configured
        self.names, self.most = set(ROLES), 0
        self.wrong: dict[str, str] = {}
        self._fatal = fatal
        self._problems: dict[str, str | None] = {}

    def add(self, item: pytest.Item, teller: _Teller) -> None:
        """Build the topology of a scenario, unless another has the same."""
        try:
            spec = spec_of(item)
            if isinstance(
                spec.source, self._configured
            ):  # which keepalived has to read first, in a machine
                self.names |= {each.director for each in spec.source.configurations}
                return
        except HarnessError as problem:
            self.wrong[item.nodeid] = str(problem)
            return
        if spec.key not in self._problems:
            teller.say(topology=item.nodeid)
            self._problems[spec.key] = self._fatal.get(item.nodeid) or self._problem(spec)
        if (known := self._problems[spec.key]) is not None:
            self.wrong[item.nodeid] = known

    def _problem(self, spec: ClusterSpec) -> str | None:
        try:
            hosts = spec.plan().hosts
        except HarnessError as problem:
            return str(problem)
        except Exception as problem:
            return f"its topology cannot be planned: {type(problem).__name__}: {problem}"
        self.names |= {host.name for host in hosts}
        self.most = max(self.most, len(hosts))
        return None


def _check_names(selection: Any, names: Iterable[str]) -> None:
    if selection is not None and (unknown := selection.whose - set(names)):
        raise HarnessError(
            f"--image or --keepalived for {', '.join(sorted(unknown))}: no such role or node;"
            f" the selected scenarios have {', '.join(sorted(names))}"
        )
