"""Random sequences of faults, of what operators do by hand, and of clients that come and go."""

import pytest

from harness.plugin.search import Searching
from topologies.director_pair import DirectorPair

SEARCHED = (DirectorPair,)


@pytest.mark.control(
    "the master of old never comes back",
    config={"director1": ("advert_int 1", "advert_int 1\n    nopreempt")},
    caught="nothing found",
)
def test_invariants_hold_whatever_happens(search: Searching, search_part: tuple[int, int]) -> None:
    """Whatever is done to a cluster, in whichever order, invariants hold, and once all is
    healed it is as before.
    """
    found = search.run()

    assert not found, "\n\n".join(found)  # label: nothing found
