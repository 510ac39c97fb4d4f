"""Mails out of what the SMTP server prints, line by line."""

from __future__ import annotations

from harness.daemons.mail import Printed

PRINTED = """\
INFO:mail.log:Server is listening on 0.0.0.0:25
---------- MESSAGE FOLLOWS ----------
mail options: ['SIZE=300']

From: keepalived@localhost
To: root@localhost
Subject: [director1] VRRP Instance VI_1 - Entering
 MASTER state
X-Peer: ('172.16.10.11', 40000)

=> owning <=
------------ END MESSAGE ------------
------------ END MESSAGE ------------
"""


def test_a_mail_is_what_stands_between_its_two_lines() -> None:
    printed = Printed()
    mails = [mail for line in PRINTED.splitlines() if (mail := printed.read(line)) is not None]
    assert len(mails) == 1
    assert mails[0].get_payload() == "=> owning <="


def test_a_header_may_be_folded_and_options_stand_before_all() -> None:
    printed = Printed()
    (mail,) = [mail for line in PRINTED.splitlines() if (mail := printed.read(line)) is not None]
    assert mail["Subject"] == "[director1] VRRP Instance VI_1 - Entering MASTER state"
    assert mail["To"] == "root@localhost"
