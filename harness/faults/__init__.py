"""Faults: what is done to a cluster. Each is data with ``inject`` and ``heal``, one file for one thing that breaks."""

from harness.faults.configuration import AcceptLocal, ForgetVip, HintSource, Maintenance, Reconfigure, Unprotected
from harness.faults.draining import Drain
from harness.faults.fault import Fault
from harness.faults.links import BlackHole, Unplug
from harness.faults.packets import Deaf, DropAdvertisements, DropArp, Impaired, Mute
from harness.faults.power import PowerOff
from harness.faults.processes import CrashVrrp, HangKeepalived, KillKeepalived, RemovePage, StopHttpd, StopKeepalived
from harness.faults.tracking import FailCheck, HangCheck, WriteNumber

__all__ = [
    "AcceptLocal",
    "BlackHole",
    "CrashVrrp",
    "Deaf",
    "Drain",
    "DropAdvertisements",
    "DropArp",
    "FailCheck",
    "Fault",
    "ForgetVip",
    "HangCheck",
    "HangKeepalived",
    "HintSource",
    "Impaired",
    "KillKeepalived",
    "Maintenance",
    "Mute",
    "PowerOff",
    "Reconfigure",
    "RemovePage",
    "StopHttpd",
    "StopKeepalived",
    "Unplug",
    "Unprotected",
    "WriteNumber",
]
