"""What a search leaves of a failure: it is lived through once more with all evidence, and on other
versions of keepalived.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError
from harness.events import FaultChanged
from harness.images.release import RELEASES
from harness.plugin.specs import spec_of, with_directors
from harness.plugin.survey import own_run

if TYPE_CHECKING:
    from pathlib import Path

    from harness.clock import Instant
    from harness.cluster import Cluster
    from harness.cluster_pool import Pool
    from harness.events import Event
    from harness.scenario.control import Control
    from harness.search.engine import Failure
    from harness.spec import Origin

DOES_NOT_REPEAT = "it did not repeat on a new cluster, so it is a defect of the harness:"
NEEDS_EARLIER = (
    "it comes only on a cluster that has lived through something before, of which keepalived or the"
    " harness has kept what nobody looks at:"
)
NOT_AGAIN = (
    "it did not come as it was lived through once more, so the rest of its folder is of that"
)


class NotRepeated(RuntimeError):
    """What was found did not repeat: a failure of the harness itself, and no verdict."""


class Ground:
    """Clusters of a scenario's topology, from the pool, one after the other."""

    def __init__(
        self, item: pytest.Item, pool: Pool, control: Control | None, against: str | None = None
    ) -> None:
        """``against`` is the image that the directors have instead of the one that is asked for."""
        self._item, self._pool, self._against = item, pool, against
        self._control = control

    def against(self, image: str) -> Ground:
        """Clusters of the same whose directors have another image, in the place of these."""
        return Ground(self._item, self._pool, self._control, image)

    def cluster(self) -> Cluster:
        """The one that is alive, or a new one."""
        spec = spec_of(self._item)
        if self._control is not None:
            spec = spec.changed(self._control.topology, self._control.config)
        if self._against is not None:
            spec = with_directors(spec, self._against)
        return self._pool.get(spec, trusted=True)

    def drop(self) -> None:
        """End it."""
        self._pool.drop()


def leave(item: pytest.Item, ground: Ground, failure: Failure, versions: Sequence[str]) -> str:
    """Live through a failure once more, on a new cluster, and keep all of it; try it on the other
    ``versions``, which are images. Returns what is to be said of it.
    """
    from harness.diagnosis import unrun_script
    from harness.report import issue, table
    from harness.report.artifacts import new_folder
    from harness.search import leaving

    name = leaving.name_of(failure)
    folder = new_folder(own_run(item.config).folder, f"found_{name}")
    ground.drop()
    cluster = ground.cluster()
    again, events = _evidence(item, cluster, failure, folder)
    configs = {each.name: each.config_text().decode(errors="replace") for each in cluster.directors}
    about = {"keepalived": _versions(cluster), "run": own_run(item.config).header}
    shown = {version: _shown(ground.against(version), failure) for version in versions}
    unrun = unrun_script(cluster.timeline)
    text = leaving.scenario(failure, _origin(item), None if unrun is None else unrun.name)
    (folder / f"test_{name}.py").write_text(text, encoding="utf-8")
    nodes = [host.name for host in cluster.plan.hosts]
    seen = table.render(events, nodes, last=issue.LAST_LINES, zero=_began(failure, events))
    tracker = leaving.report(failure, about, configs, seen, shown)
    (folder / "report.md").write_text(tracker, encoding="utf-8")
    first = "".join(f"{event.as_json()}\n" for event in failure.events)
    (folder / "first-seen.jsonl").write_text(first, encoding="utf-8")
    # What the failure has left in this cluster is nothing for the next sequence.
    ground.drop()
    said = [] if failure.repeats else [NEEDS_EARLIER if failure.earlier else DOES_NOT_REPEAT]
    said += [] if again or not said else [NOT_AGAIN]
    said += [f"{failure.signature.invariant}: {failure.violation.text}", text]
    if shown:
        said += [f"on {version}: {outcome}" for version, outcome in shown.items()]
    else:
        file = os.path.relpath(folder / f"test_{name}.py", item.config.invocation_params.dir)
        matrix = f"--matrix keepalived={','.join(RELEASES)}"
        said.append(f"which versions have it: pytest {shlex.quote(file)} {matrix}")
    return "\n".join(said)


def _evidence(
    item: pytest.Item, cluster: Cluster, failure: Failure, folder: Path
) -> tuple[bool, list[Event]]:
    """Live through it and write what a scenario that failed leaves. Returns whether it came again,
    and the events.
    """
    from harness.report.evidence import Evidence
    from harness.search import broken

    said = {"test": item.nodeid, "says": failure.violation.text}
    evidence = Evidence(folder, cluster, {**said, "topology": spec_of(item).name})
    for earlier in failure.earlier:
        broken(cluster, earlier)
    again = broken(cluster, failure.steps, failure.signature.invariant)
    outcome = {
        "outcome": "failed" if again else "passed",
        "message": "\n".join(again),
        "seconds": 0.0,
    }
    events = cluster.timeline.events(since=cluster.timeline.mark)
    evidence.finish(outcome, keep="all")
    return bool(again), list(events)


def _began(failure: Failure, events: Sequence[Event]) -> Instant | None:
    """When the sequence began, from which the seconds of its steps count; None for one that has no
    step.
    """
    done = (event.at for event in events if isinstance(event, FaultChanged))
    first = next(done, None)
    return None if first is None or not failure.steps else first - failure.steps[0].after


def _shown(ground: Ground, failure: Failure) -> str:
    """Whether the smallest sequence shows the failure on a new cluster of another version."""
    from harness.search.judging import Signature, judged
    from harness.search.site import Site

    site = Site(ground)
    try:
        for number, earlier in enumerate(failure.earlier):
            site.live(earlier, fresh=number == 0)
        lived, left = site.live(failure.steps, fresh=not failure.earlier)
    except HarnessError as problem:
        return f"it could not be tried: {str(problem).splitlines()[0]}"
    finally:
        ground.drop()
    same = [each for each in judged(lived, left) if Signature.of(each) == failure.signature]
    if same:
        return "shown"
    return "not shown" if lived.amiss is None else f"not shown; {lived.amiss}"


def _origin(item: pytest.Item) -> Origin:
    spec = spec_of(item)
    varied = getattr(spec.source, "VARIED", {})
    defaults = {parameter: values[0] for parameter, values in varied.items()}
    return spec.origin(str(item.config.getoption("searched")), defaults)


def _versions(cluster: Cluster) -> str:
    """Those of keepalived that its directors have."""
    directors = {each.name for each in cluster.directors}
    images = [host.image for host in cluster.plan.hosts if host.name in directors]
    versions = {str(image.keepalived) for image in images if image.keepalived}
    return ", ".join(sorted(versions))
