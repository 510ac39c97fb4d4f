"""Apache httpd on a real server, with only the modules and workers that a test needs."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from harness.daemons.daemon import Daemon
from harness.lab.machine import Machine

CONFIG = "/etc/apache2/apache2.conf"
DOCUMENT_ROOT = "/var/www/html"
LARGE = "large"
"""A page of :data:`LARGE_SIZE` bytes, many times what one packet carries."""
LARGE_SIZE = 100_000
TRICKLE = "trickle"
"""A folder whose pages come at :data:`TRICKLE_RATE`, a little every :data:`TRICKLE_PAUSE`."""
TRICKLE_PAUSE = 0.2
"""Seconds from one part of an answer to the next (``mod_ratelimit.c``, ``RATE_INTERVAL_MS``)."""
TRICKLE_RATE = 2048
"""So many bytes of one of its pages come in a second."""
MOST = 150
"""So many requests are answered at once at most, as by Debian's own configuration: where a client
is cut off, its process waits for httpd's ``Timeout`` of a minute, and answers nobody else.
"""
IDLE = 86400
"""How long a connection may be idle that a client wants to keep, in seconds: no scenario is to end
by httpd's own patience. Whoever does not ask for it (HTTP/1.0, and so keepalived's checks) is
closed after each answer.
"""
TLS_PORT = 443
TLS_FILE = "/etc/apache2/tls.pem"
"""Key and certificate; the same ones everywhere, so that no scenario waits for new ones."""

HTTPD = Daemon(
    name="httpd",
    argv=("apache2", "-D", "FOREGROUND"),
    ready=re.compile(r"resuming normal operations"),
    failed=re.compile(r"AH000(15|72|16)|Syntax error|unable to"),
    package="apache2",
)

# Processes instead of threads: threads that wait for each other by spinning wait for ever where CPU
# work takes no time.
_TEXT = """\
ServerName {name}
ServerRoot /etc/apache2
DefaultRuntimeDir /run/apache2
PidFile /run/apache2/apache2.pid
ErrorLog /proc/self/fd/2
LogLevel notice
User www-data
Group www-data
{listen}
LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
LoadModule env_module /usr/lib/apache2/modules/mod_env.so
LoadModule ratelimit_module /usr/lib/apache2/modules/mod_ratelimit.so
StartServers {workers}
MinSpareServers 1
MaxSpareServers {spare}
MaxRequestWorkers {most}
KeepAlive On
KeepAliveTimeout {idle}
MaxKeepAliveRequests 0
DocumentRoot {root}
DirectoryIndex index.html
<Location /{trickle}/>
SetOutputFilter RATE_LIMIT
SetEnv rate-limit 2
</Location>
"""


_HOST = """\
<VirtualHost *:{port}>
ServerName {name}
DocumentRoot {root}
{more}</VirtualHost>
"""

_TLS = f"SSLEngine on\nSSLCertificateFile {TLS_FILE}\n"
_LOAD_ALIAS = "LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so\n"
_LOAD_TLS = "LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n"


def prepare(
    machine: Machine,
    page: str,
    ports: Sequence[int],
    tls: Collection[int],
    workers: int,
    pages: Mapping[str, str],
    statuses: Mapping[str, int],
) -> None:
    """Write configuration and pages: ``page`` answered on every one of ``ports``, by TLS on those
    in ``tls``, by ``workers`` processes or more.

    ``pages`` are more of them, by path, or by host and path for those of a name-based virtual host;
    ``statuses`` are paths that are answered with a status and nothing else.
    """
    listen = "\n".join(f"Listen {port}" for port in sorted(set(ports)))
    text = _TEXT.format(
        name=machine.name,
        listen=listen,
        root=DOCUMENT_ROOT,
        trickle=TRICKLE,
        workers=workers,
        spare=max(8, workers),
        most=MOST,
        idle=IDLE,
    )
    if statuses:
        text += _LOAD_ALIAS + "".join(
            f"Redirect {status} {path}\n" for path, status in statuses.items()
        )
    tls = sorted(set(ports) & set(tls))
    text += _virtual_hosts(machine.name, tls, [path.partition("/")[0] for path in pages])
    machine.write(CONFIG, text)
    if tls:
        machine.write(TLS_FILE, (Path(__file__).parent / "tls.pem").read_bytes(), 0o600)
    machine.write(page_file("/index.html"), page + "\n")
    machine.write(page_file(f"/{LARGE}"), (page + "\n").ljust(LARGE_SIZE, "."))
    for path, content in pages.items():
        machine.write(page_file(path), content)
    machine.write("/run/apache2/.made", "")


def page_file(path: str) -> str:
    """The file behind a path, or behind a host and path."""
    host, _, rest = path.partition("/")
    return f"{_root(host)}/{rest}"


def _root(host: str) -> str:
    return f"/var/www/{host}" if host else DOCUMENT_ROOT


def _virtual_hosts(name: str, tls: Sequence[int], hosts: Sequence[str]) -> str:
    text = ""
    if named := sorted(set(hosts) - {""}):  # the first virtual host answers for all other names
        text += _HOST.format(port="*", name=name, root=DOCUMENT_ROOT, more="")
        text += "".join(
            _HOST.format(port="*", name=host, root=_root(host), more="") for host in named
        )
    if tls:
        text = _LOAD_TLS + text
        text += "".join(
            _HOST.format(port=port, name=name, root=DOCUMENT_ROOT, more=_TLS) for port in tls
        )
    return text
