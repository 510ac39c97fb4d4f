"""aiosmtpd: the SMTP server that takes the directors' alerts, and prints each mail between two
lines of its own.
"""

from __future__ import annotations

import email
import re
from dataclasses import replace
from email.message import EmailMessage
from email.policy import default

from harness.daemons.daemon import Daemon

PORT = 25

MAIL = Daemon(
    name="mail",
    argv=(
        "aiosmtpd",
        "--nosetuid",
        "--debug",
        "--class",
        "aiosmtpd.handlers.Debugging",
        "--listen",
        f"0.0.0.0:{PORT}",
        "stderr",
    ),
    ready=re.compile(r"Server is listening"),
    failed=re.compile(r"Error"),
    package="python3-aiosmtpd",
)


def at(port: int) -> Daemon:
    """The same at another port, as a daemon of its own."""
    argv = tuple(word.replace(f":{PORT}", f":{port}") for word in MAIL.argv)
    return replace(MAIL, name=f"mail-{port}", argv=argv)


_OPTIONS = ("mail options:", "rcpt options:")
_BEGIN, _END = "---------- MESSAGE FOLLOWS ----------", "------------ END MESSAGE ------------"


class Printed:
    """Mails out of what :data:`MAIL` prints, line by line."""

    def __init__(self) -> None:
        self._lines: list[str] | None = None

    def read(self, line: str) -> EmailMessage | None:
        """Take the next line; returns the mail that it completes, if it does."""
        if line == _BEGIN:
            self._lines = []
        elif line == _END and self._lines is not None:
            lines, self._lines = self._lines, None
            # of the SMTP dialogue, and an empty line after them
            if lines and lines[0].startswith(_OPTIONS):
                del lines[: lines.index("") + 1]
            return email.message_from_string("\n".join(lines), policy=default)
        elif self._lines is not None:
            self._lines.append(line)
        return None
