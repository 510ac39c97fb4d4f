"""A small reference model of VRRP and of the health checkers: what a sequence of deeds may do to
the invariants.

It does not foretell one course of events. It says, at each instant, what is possible, so that an
invariant speaks only where exactly one thing is right: who can act (:mod:`.processes`), which
priority is claimed (:mod:`.priorities`), what was heard (:mod:`.router`), which real server is well
(:mod:`.health`). All windows are those of
:mod:`harness.keepalived.timers`.
"""
