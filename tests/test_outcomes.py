"""Skipped by name and version, or inconclusive: neither is ever counted as passed."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.keepalived import version
from harness.kernels import choice
from harness.plugin import needs

CONFTEST = """
    from types import SimpleNamespace

    import pytest

    from harness.clock import Window
    from harness.due import Expectations
    from harness.plugin.clusters import RUNNING
    from harness.timeline import Timeline

    @pytest.fixture
    def within():
        return lambda earliest, latest: expectations.within(Window(earliest, latest))

    @pytest.fixture
    def on_time():
        return lambda times, expected: expectations.on_time(times, expected, 0.15)

    @pytest.fixture(autouse=True)
    def running(request):
        global expectations
        stall = request.node.get_closest_marker("stall").args[0]
        recorder = SimpleNamespace(stalled=lambda since: stall)
        timeline = Timeline()
        expectations = Expectations(timeline)
        request.node.stash[RUNNING] = SimpleNamespace(
            recorder=recorder,
            timeline=timeline,
            plan=SimpleNamespace(hosts=[]),
            nodes=(),
            comparisons=expectations.comparisons,
            diagnoses=lambda since, until: [],
        )
"""
TIMES = """
    import pytest

    from harness.errors import Starved
    from harness.timeline import TooLate

    pytestmark = pytest.mark.stall(0.06)

    @pytest.mark.stall(0.3)
    def test_pass(within): assert 3.5 in within(3, 3.6)

    def test_window(within): assert 3.9 in within(3, 3.6)

    def test_several(within):
        assert all(
            seconds in within(3, 3.6)
            for seconds in (3.5, 3.9)
        ), "a message"

    def test_list(on_time): assert on_time([1.0, 2.3], [1, 2])

    def test_one_is_missing(on_time): assert on_time([1.0], [1, 2])

    def test_in_a_helper(within):
        def judge(seconds):
            assert seconds in within(3, 3.6)
        judge(3.9)

    def test_wait(): raise TooLate("director2 takes the VIP: due within 3.600 s, and it has not")

    @pytest.fixture
    def cluster(): raise Starved("web1: httpd serves: not within 12 s", 0.7)

    def test_cluster(cluster): pass
"""
OTHERS = """
    import pytest

    from harness.errors import HarnessError

    pytestmark = pytest.mark.stall(0.4)

    def test_table(within):
        assert 3.5 in within(3, 3.6)
        assert {"web1": 1} == {"web1": 1, "web2": 1}

    def test_after_a_window_that_was_to_be_missed(within):
        assert 3.9 not in within(3, 3.6)
        assert "Unknown keyword" == ""

    def test_that_is_to_be_missed(within):
        assert 3.5 not in within(3, 3.6)

    def test_question(): raise HarnessError("no node web3; there are web1 and web2")

    def test_crash(within): assert [3.9 in within(3, 3.6)][1]
"""
PASSES = """
    import pytest

    @pytest.mark.stall(0.06)
    def test_within_the_slack(within): assert 3.5 in within(3, 3.6)

    @pytest.mark.stall(0.3)
    def test_of_no_time(): pass
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_times=TIMES, test_others=OTHERS, test_passes=PASSES)
    pytester.makeini("[pytest]\nmarkers = stall")
    return pytester


def test_what_is_judged_by_time_is_inconclusive_on_a_starved_machine(
    project: pytest.Pytester,
) -> None:
    result = project.runpytest("test_times.py")
    result.assert_outcomes()
    result.stdout.fnmatch_lines(
        [
            "*test_pass: inconclusive: the machine was starved for up to 0.30 s *: run it again"
            " on a less busy *",
            "*test_window: inconclusive: the machine was starved for up to 0.06 s *in virtual"
            " time*(make kernel)",
            "*assert 3.9 in *",
            "*test_cluster: inconclusive: the machine was starved for up to 0.70 s *",
            "*httpd serves: not within*",
            "*= 8 inconclusive in*",
        ]
    )


def test_what_is_not_judged_by_time_fails_on_a_starved_machine_too(
    project: pytest.Pytester,
) -> None:
    result = project.runpytest("test_others.py")
    result.assert_outcomes(failed=5)
    result.stdout.no_fnmatch_line("*inconclusive*")
    result.stdout.fnmatch_lines(
        [
            "The machine was starved for up to 0.40 s. What failed is not judged by time, so it"
            " counts all the same."
        ]
    )


def test_what_starved_machines_pass(project: pytest.Pytester) -> None:
    project.runpytest("test_passes.py").assert_outcomes(passed=2)


@pytest.mark.parametrize(("options", "status"), [([], 1), (["--allow-inconclusive"], 0)])
def test_inconclusive_is_no_success_unless_allowed(
    project: pytest.Pytester, options: list[str], status: int
) -> None:
    assert project.runpytest("test_times.py", *options).ret == status
    assert project.runpytest("test_passes.py", *options).ret == 0
    assert project.runpytest("test_others.py", *options).ret == 1


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2.2.7", "2.2.7"),
        ("Keepalived v2.3.3 (03/30,2025), git commit v2.3.2+", "2.3.3"),
        ("v2.10", "2.10"),
    ],
)
def test_version_is_read(text: str, read: str) -> None:
    assert version.parse(text) == version.Version(read)


def test_what_is_lacking_is_named() -> None:
    oldest = version.parse("2.2.7")
    assert needs.lacks("test_it", "a", oldest=oldest, keepalived="2.2.7") is None
    assert (
        needs.lacks("test_it", "FILE_CHECK", oldest=oldest, keepalived="2.2.10")
        == "keepalived 2.2.7 lacks FILE_CHECK (since 2.2.10)"
    )
    assert needs.lacks("test_it", "an SMTP server", program="no-such-program") == (
        "an SMTP server: the program no-such-program is not installed"
    )
    assert needs.lacks("test_it", "a shell", program="sh") is None
    with pytest.raises(
        HarnessError,
        match=r"kernel='CONFIG_NONE': what can be asked for is CONFIG_NF_TABLES_IPV4, ",
    ):
        needs.lacks("test_it", "a firewall", kernel="CONFIG_NONE")


def test_a_feature_that_the_kernel_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "kernel_lacks", lambda option: f"kernel 6.1.176 lacks {option}")
    assert needs.lacks("test_it", "vrrp_strict", kernel="CONFIG_NF_TABLES_IPV4") == (
        "vrrp_strict: kernel 6.1.176 lacks CONFIG_NF_TABLES_IPV4"
    )


def test_what_needs_real_time_is_skipped_by_name_in_virtual_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(choice, "virtual", lambda: True)
    told = "wrk: it needs real time, and here time is virtual: --clock real"
    assert needs.lacks("test_it", "wrk", clock="real") == told
    monkeypatch.setattr(choice, "virtual", lambda: False)
    assert needs.lacks("test_it", "wrk", clock="real") is None
    with pytest.raises(HarnessError, match="test_it: clock='virtual': a scenario can need"):
        needs.lacks("test_it", "wrk", clock="virtual")


@pytest.mark.parametrize(
    ("features", "wanted"), [((), {"program": "sh"}), (("a",), {}), (("a",), {"system": "7"})]
)
def test_a_need_that_is_not_declared_well_is_refused(
    features: tuple[str, ...], wanted: dict[str, str]
) -> None:
    with pytest.raises(HarnessError, match=r"test_it: say pytest.mark.needs"):
        needs.lacks("test_it", *features, oldest=None, images=(), **wanted)
