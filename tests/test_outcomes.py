"""Skipped by name and version, or inconclusive: neither is ever counted as passed."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.keepalived import version
from harness.plugin import needs

CONFTEST = """
    from types import SimpleNamespace

    import pytest

    from harness.plugin.clusters import RUNNING
    from harness.timeline import Timeline

    @pytest.fixture(autouse=True)
    def running(request):
        stall = request.node.get_closest_marker("stall").args[0]
        recorder = SimpleNamespace(stalled=lambda since: stall)
        request.node.stash[RUNNING] = SimpleNamespace(recorder=recorder, timeline=Timeline(), nodes=())
"""
TESTS = """
    import pytest

    from harness.errors import Starved

    @pytest.mark.stall(0.3)
    def test_starved_pass(): pass

    @pytest.mark.stall(0.06)
    def test_starved_failure(): assert 3.9 < 3.6

    @pytest.mark.stall(0.06)
    def test_pass_within_the_slack(): pass

    @pytest.mark.stall(0)
    def test_failure(): assert False

    @pytest.fixture
    def cluster(): raise Starved("web1: httpd serves: not within 12 s", 0.7)

    @pytest.mark.stall(0)
    def test_starved_cluster(cluster): pass
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(TESTS)
    pytester.makeini("[pytest]\nmarkers = stall")
    return pytester


def test_inconclusive_is_an_outcome_of_its_own(project: pytest.Pytester) -> None:
    result = project.runpytest()
    result.stdout.fnmatch_lines(
        [
            "*test_starved_pass: inconclusive: the machine was starved for up to 0.30 s *",
            "*test_starved_failure: inconclusive: the machine was starved for up to 0.06 s *",
            "*assert 3.9 < 3.6",
            "*test_starved_cluster: inconclusive: the machine was starved for up to 0.70 s *",
            "*httpd serves: not within*",
            "*1 failed, 1 passed, 3 inconclusive in*",
        ]
    )


@pytest.mark.parametrize(("options", "status"), [([], 1), (["--allow-inconclusive"], 0)])
def test_inconclusive_is_no_success_unless_allowed(project: pytest.Pytester, options: list[str], status: int) -> None:
    assert project.runpytest("-k", "starved", *options).ret == status
    assert project.runpytest("-k", "within", *options).ret == 0
    assert project.runpytest("-k", "test_failure", *options).ret == 1


@pytest.mark.parametrize(
    ("text", "read"),
    [("2.2.7", "2.2.7"), ("Keepalived v2.3.3 (03/30,2025), git commit v2.3.2+", "2.3.3"), ("v2.10", "2.10")],
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


@pytest.mark.parametrize(("features", "wanted"), [((), {"program": "sh"}), (("a",), {}), (("a",), {"kernel": "7"})])
def test_a_need_that_is_not_declared_well_is_refused(features: tuple[str, ...], wanted: dict[str, str]) -> None:
    with pytest.raises(HarnessError, match=r"test_it: say pytest.mark.needs"):
        needs.lacks("test_it", *features, oldest=None, **wanted)
