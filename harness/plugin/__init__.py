"""The pytest plugin. Each module is one feature with its options, hooks and fixtures:

``where`` moves the run onto the kernel that carries the clusters, ``readable`` says what it may
read there, ``parallel`` moves it onto several at once, ``remote`` onto other machines',
``interrupted`` ends it in order, ``deadly`` and ``spinning`` keep it from scenarios that would end
it, ``shard`` leaves parts of the suite to others; ``clusters`` has the fixtures, ``needs`` skips
what this machine's programs lack, ``controls`` plants what scenarios must catch, ``reasons`` looks
whether the statements are there that are to catch it, ``outcomes`` says how a scenario ended, for
the terminal of ``reader``, ``causes`` what a failure looks like, ``evidence`` keeps what happened
in it, ``sources`` what the run was made of, ``report`` tells of the run as a whole, ``unwritten``
of what it could not write, ``unused`` has nothing told of what was not used, ``stopping`` gives a
prompt, ``tallies`` adds up what the parts of a search have done.
"""

pytest_plugins = (
    "harness.plugin.where",
    "harness.plugin.interrupted",
    "harness.plugin.deadly",
    "harness.plugin.spinning",
    "harness.plugin.readable",
    "harness.plugin.check",
    "harness.plugin.parallel",
    "harness.plugin.remote",
    "harness.plugin.core",
    "harness.plugin.specs",
    "harness.plugin.shard",
    "harness.plugin.clusters",
    "harness.plugin.search",
    "harness.plugin.tallies",
    "harness.plugin.corpus",
    "harness.plugin.needs",
    "harness.plugin.controls",
    "harness.plugin.reasons",
    "harness.plugin.images",
    "harness.plugin.matrix",
    "harness.plugin.conformance",
    "harness.plugin.regressions",
    "harness.plugin.reader",
    "harness.plugin.outcomes",
    "harness.plugin.causes",
    "harness.plugin.evidence",
    "harness.plugin.sources",
    "harness.plugin.report",
    "harness.plugin.live",
    "harness.plugin.unwritten",
    "harness.plugin.unused",
    "harness.plugin.stopping",
)
