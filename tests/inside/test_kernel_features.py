"""What users' machines need of a kernel: devices, netfilter, cgroups.

The built kernel has all of it (time_travel.config says who needs what). What another kernel lacks
is a skip by name.
"""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.kernels import choice
from harness.lab import features

pytestmark = pytest.mark.usefixtures("lvs_kernel")

EACH = (*features.DEVICES, *features.RULES, *features.CONTROLLERS, features.LOGS_OF_MACHINES)


@pytest.mark.parametrize("option", EACH)
def test_the_kernel_has_what_users_need(option: str) -> None:
    missing = features.lacks(option)
    if missing is not None and not choice.virtual():
        pytest.skip(missing)
    assert missing is None


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("DEVICES", "type nonsense"),
        ("RULES", "-A INPUT -m nonsense -j ACCEPT"),
        ("CONTROLLERS", "nonsense"),
    ],
)
def test_what_a_kernel_lacks_is_seen(
    kind: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the kernel knew the option by another word."""
    probe = {
        "DEVICES": features._has_device,
        "RULES": features._has_rule,
        "CONTROLLERS": features._has_controller,
    }[kind]
    monkeypatch.setitem(features._PROBES, "CONFIG_NONSENSE", lambda: probe(words))
    features.lacks.cache_clear()
    assert str(features.lacks("CONFIG_NONSENSE")).endswith(" lacks CONFIG_NONSENSE")


def test_what_cannot_be_asked_for_is_told() -> None:
    with pytest.raises(HarnessError, match="what can be asked for is CONFIG_NF_TABLES_IPV4, "):
        features.lacks("CONFIG_OTHER")
