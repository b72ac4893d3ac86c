"""The matrix is readable as data, and its own servers do what a scenario asks of them."""

import smtplib
from collections.abc import Callable
from pathlib import Path

import pytest
from chaos.mail_faults import FaultyMail, MailFault
from chaos.scenarios import SCENARIOS, SHORT
from chaos.tcp_proxy import ProxyHost
from stack.mailboxes import Maildir

NAMES = [scenario.name for scenario in SCENARIOS]


def test_scenarios_have_names_of_their_own_and_a_length() -> None:
    assert len(NAMES) == len(set(NAMES)) >= 40
    assert all(0 < scenario.seconds <= 300 for scenario in SCENARIOS)
    assert all(scenario.orders >= 1 and scenario.ends for scenario in SCENARIOS)


def test_the_short_cut_names_scenarios_that_exist() -> None:
    assert set(SHORT) <= set(NAMES)


def test_only_scenarios_without_money_may_end_unpaid() -> None:
    unpaid = {s.name for s in SCENARIOS if "awaiting_payment" in s.ends}

    assert unpaid == {
        "ipn forged",
        "ipn byte changed",
        "ipn cut short",
        "ipn of a stolen secret",
    }


def test_a_fault_that_must_be_seen_is_not_proven_by_orders_that_all_went_well() -> None:
    (scenario,) = (s for s in SCENARIOS if s.name == "keys for a stranger")

    assert not scenario.has_bitten(["fulfilled", "fulfilled"])
    assert scenario.has_bitten(["fulfilled", "needs_attention"])


def test_only_faults_that_may_end_otherwise_than_well_must_be_seen() -> None:
    biting = [scenario for scenario in SCENARIOS if scenario.bites]

    assert all(s.bites & s.ends and "fulfilled" not in s.bites for s in biting)


Send = Callable[[MailFault], tuple[int, int]]


@pytest.fixture
def send(tmp_path: Path, host: ProxyHost) -> Send:
    """Sends one mail to a server with a fault: the code it answered, and the mails it kept."""

    def under(fault: MailFault) -> tuple[int, int]:
        server = FaultyMail(tmp_path / "mailbox")
        server.fault = fault
        host.run(server.start())
        with smtplib.SMTP("127.0.0.1", server.port, timeout=5) as client:
            code = _code(client)
        host.run(server.stop())
        return code, len(Maildir("", 0, server.maildir).mails())

    return under


def _code(client: smtplib.SMTP) -> int:
    try:
        client.sendmail("a@example.com", ["b@example.com"], b"Subject: x\r\n\r\ntext\r\n")
    except smtplib.SMTPRecipientsRefused as error:
        return error.recipients["b@example.com"][0]
    except smtplib.SMTPResponseException as error:
        return error.smtp_code
    return 250


@pytest.mark.parametrize(
    ("fault", "code", "kept"),
    [
        (MailFault(), 250, 1),
        (MailFault(sender="421 4.3.2 closing"), 421, 0),
        (MailFault(recipient="450 4.2.1 later"), 450, 0),
        (MailFault(recipient="550 5.1.1 who?"), 550, 0),
        (MailFault(data="451 4.3.0 local error"), 451, 0),
        (MailFault(drops=True), 250, 0),
    ],
)
def test_mail_server_refuses_as_told(send: Send, fault: MailFault, code: int, kept: int) -> None:
    assert send(fault) == (code, kept)
