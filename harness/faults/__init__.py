"""Faults: what is done to a cluster. Each is data with ``inject`` and ``heal``, one file for one
thing that breaks.
"""

from harness.faults.configuration import (
    AcceptLocal,
    Firewall,
    ForgetVip,
    HalfProtected,
    HintSource,
    Maintenance,
    Reconfigure,
    Unprotected,
)
from harness.faults.draining import Drain
from harness.faults.fault import Fault
from harness.faults.interfaces import ChangeMtu, DeleteInterface, LoseAddress, RenameInterface
from harness.faults.links import BlackHole, Cut, Unplug
from harness.faults.local import FailProgram, MakeFile, StopLocal
from harness.faults.packets import Deaf, DropAdvertisements, DropArp, Impaired, Mute
from harness.faults.power import PowerOff
from harness.faults.processes import (
    CrashVrrp,
    HangKeepalived,
    HangSpeaker,
    KillKeepalived,
    Starve,
    StarveMachine,
    StopKeepalived,
    StopSpeaker,
)
from harness.faults.programs import HangProgram, StopProgram
from harness.faults.servers import (
    ChangePage,
    DropTcp,
    DropUdp,
    HalfOpen,
    HangDnsmasq,
    HangHttpd,
    HangMail,
    IgnoreEcho,
    RemovePage,
    ResetRequests,
    SlowPage,
    StopDnsmasq,
    StopHttpd,
    StopMail,
)
from harness.faults.tracking import ExitCheck, FailCheck, HangCheck, WriteNumber

__all__ = [
    "AcceptLocal",
    "BlackHole",
    "ChangeMtu",
    "ChangePage",
    "CrashVrrp",
    "Cut",
    "Deaf",
    "DeleteInterface",
    "Drain",
    "DropAdvertisements",
    "DropArp",
    "DropTcp",
    "DropUdp",
    "ExitCheck",
    "FailCheck",
    "FailProgram",
    "Fault",
    "Firewall",
    "ForgetVip",
    "HalfOpen",
    "HalfProtected",
    "HangCheck",
    "HangDnsmasq",
    "HangHttpd",
    "HangKeepalived",
    "HangMail",
    "HangProgram",
    "HangSpeaker",
    "HintSource",
    "IgnoreEcho",
    "Impaired",
    "KillKeepalived",
    "LoseAddress",
    "Maintenance",
    "MakeFile",
    "Mute",
    "PowerOff",
    "Reconfigure",
    "RemovePage",
    "RenameInterface",
    "ResetRequests",
    "SlowPage",
    "Starve",
    "StarveMachine",
    "StopDnsmasq",
    "StopHttpd",
    "StopKeepalived",
    "StopLocal",
    "StopMail",
    "StopProgram",
    "StopSpeaker",
    "Unplug",
    "Unprotected",
    "WriteNumber",
]
