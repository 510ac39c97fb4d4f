"""In which state an instance is: with its sync group, and as what it tracks is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.search.invariants.registry import invariant
from harness.search.model.effects import Aspect, disturbances
from harness.search.model.processes import in_state, runs
from harness.search.model.router import Router, routers
from harness.search.model.spans import Span, both, without
from harness.search.observed import Observed, Violation

TOGETHER = "a sync group moves together"
FAULTY = "a fault has a cause, and a cause makes a fault"


@invariant(TOGETHER)
def groups_move_together(observed: Observed) -> list[Violation]:
    """The members of a sync group are master together, or none of them is.

    keepalived.conf(5), ``vrrp_sync_group``; ``vrrp_sync.c``, ``vrrp_sync_master`` and its like.
    """
    found: list[Violation] = []
    slack = observed.slack
    for name, director in observed.setting.directors.items():
        hindered = disturbances(observed, Aspect.CONFIG, name, after=slack)
        for group in director.sync_groups:
            states = {member: in_state(observed, name, member) for member in group.members}
            reigns = {
                member: [span for span, state in known if state == "MASTER"]
                for member, known in states.items()
            }
            # A director that hangs between the changes of two members has changed one of them only.
            every = [run.span for run in runs(observed, name)]
            for known in states.values():
                every = both(every, [span for span, _ in known])
            for one, own in reigns.items():
                for other, others in reigns.items():
                    apart = without(both(own, every), [*others, *hindered])
                    alone = [span for span in apart if span.length > slack]
                    if alone:
                        text = (
                            f"{name} is master of {one} and not of {other}, which is in"
                            f" {group.name} as well"
                        )
                        found.append(Violation(TOGETHER, alone[0].since, text))
    return found


@invariant(FAULTY)
def faults_have_a_cause(observed: Observed) -> list[Violation]:
    """An instance is in FAULT state while what it tracks without a weight fails, or its interface
    does; and only then.

    keepalived ``vrrp_track.c``, ``down_instance`` and ``try_up_instance``; keepalived.conf(5),
    ``track_script``.
    """
    found: list[Violation] = []
    slack = observed.slack
    everybody = routers(observed)
    for router in everybody:
        together = [each for each in everybody if _moves_with(router, each)]
        tracking = [each.instance for each in together]
        if any(own.track_processes or own.track_bfds for own in tracking):
            # not every kernel tells of processes, and not every end of a session is on the timeline
            continue
        touched = disturbances(
            observed,
            Aspect.CONFIG | Aspect.ADDRESS | Aspect.EAR | Aspect.WIRE,
            router.director,
            after=1.0,
            interfaces=[own.interface for own in tracking],
        )
        able = router.able
        for other in together:
            able = both(able, other.able)
        for span, state in router.states:
            judged = both([Span(span.since + slack, span.until - slack)], able)
            for part in without(judged, touched):
                found += _wrong_state(router, together, part, state)
    return found


def _moves_with(router: Router, other: Router) -> bool:
    """Whether another instance is the same, or in one sync group with it."""
    if other.director != router.director:
        return False
    groups = router.observed.setting.directors[router.director].sync_groups
    names = {router.instance.name, other.instance.name}
    return len(names) == 1 or any(names <= set(group.members) for group in groups)


def _wrong_state(
    router: Router, together: Sequence[Router], span: Span, state: str
) -> Iterator[Violation]:
    """What it tracks itself, or another member of its group does, makes or forbids FAULT state."""
    told = f"{router.director} is {state} of {router.instance.name}"
    for part in router.claims.parts(span, [each.claims for each in together]):
        if part.length <= 2 * router.observed.slack:
            continue
        if any(each.claims.disturbed(part) for each in together):
            continue
        possible = [each.claims.possible(part) for each in together]
        if state == "FAULT" and all(0 not in each for each in possible):
            yield Violation(FAULTY, part.since, f"{told}, and all that it tracks is well")
            return
        # Who is taken along by another member does not say so (``vrrp_sync_fault``).
        said = {word for each in together for span, word in each.states if span.meets(part)}
        if "FAULT" not in said and {0} in possible:
            yield Violation(FAULTY, part.since, f"{told}, and what it tracks has failed")
            return
