"""When a health checker removes a real server, and when it brings it back."""

from __future__ import annotations

from harness.clock import Window
from harness.errors import HarnessError
from harness.topology.services import HttpGet, VirtualService

# The soonest that a machine which stopped answering ARP ends a connect() before its timeout: three probes
# to the known address, one second apart, then as many broadcasts (net/core/neighbour.c: ucast_solicit,
# mcast_solicit, retrans_time).
UNREACHABLE_AFTER = 6.0


def removal(service: VirtualService, *, black_hole: bool = False) -> Window:
    """From a real server's failure to its removal by the checker of ``service``.

    The next check is up to ``delay_loop`` away, and all of ``retry`` + 1 attempts must fail,
    ``delay_before_retry`` apart. An attempt on a refused connection or a wrong status takes no time, in a
    black hole ``connect_timeout``, unless the machine's ARP entry fails first. keepalived ``check_http.c``,
    ``epilog``. Raises HarnessError if nothing checks ``service``.
    """
    check, delay_loop = _checked(service)
    retries = check.retry * check.delay_before_retry
    if not black_hole:
        return Window(retries, delay_loop + retries)
    latest = delay_loop + (check.retry + 1) * check.connect_timeout + retries
    return Window(_soonest_in_black_hole(check), latest)


def recovery(service: VirtualService, *, black_hole: bool = False) -> Window:
    """From the recovery of a removed real server to its return by the checker of ``service``.

    A removed one is checked every max(``delay_loop``, ``delay_before_retry``), after an attempt in flight
    has ended. The first success only clears the failed URL; the check that follows ``delay_loop`` later
    brings the server back (keepalived ``check_http.c``, ``epilog``, since 2.0.17, unless
    ``fast_recovery``). Raises HarnessError if nothing checks ``service``.
    """
    check, delay_loop = _checked(service)
    in_flight = check.connect_timeout if black_hole else 0.0
    return Window(delay_loop, in_flight + max(delay_loop, check.delay_before_retry) + delay_loop)


def _checked(service: VirtualService) -> tuple[HttpGet, float]:
    if service.check is None:
        raise HarnessError(f"virtual service {service.vip}:{service.port} has no check: no real server is removed")
    own = service.check.delay_loop
    return service.check, service.delay_loop if own is None else own


def _soonest_in_black_hole(check: HttpGet) -> float:
    elapsed = 0.0
    for attempt in range(check.retry + 1):
        if attempt:
            elapsed += check.delay_before_retry
        elapsed = min(elapsed + check.connect_timeout, max(elapsed, UNREACHABLE_AFTER))
    return elapsed
