"""What passes between e-mail and its server: addresses, closed lines, who signs in, what each answer means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from notifiers import build
from tests.channel_makers import SENDER, mail, refusal, to_li
from tests.channel_servers import CERTIFICATE, CUT, SILENCE, egress, http_server, mail_server

LI = "li@school.test"

# ---- addresses -------------------------------------------------------------------------------------------------------

GOOD = (LI, "li.wang+loop@school.test", "li@学校.test", "li@school", '"li wang"@school.test', "a" * 64 + "@school.test")
BAD = (
    "", "li", "li@", "@school.test", "li@@school.test", "li@school..test", ".li@school.test", " li@school.test", "li@school.test ",
    "李@school.test", "Li <li@school.test>", "<li@school.test>", "li@school.test> SIZE=1", "li@school.test,eve@evil.test",
    "li@school.test;eve@evil.test", "li@school.test\r\nBcc: eve@evil.test", "li@school.test\nRCPT TO:<eve@evil.test>",
    "li@school.test\u2028", "l\u200bi@school.test", "li@sch\u202eool.test", "li\x00@school.test", "li\ud800@school.test",
    "li@school.test (eve@evil.test)", "(x)li@school.test", "li @school.test", '""@school.test', "li@[127.0.0.1]", "li@[IPv6:::1]",
    "=?utf-8?q?x?=@school.test", '"=?utf-8?q?x=0D=0ABcc:_e?="@school.test', "a" * 300 + "@school.test", "li@school.test\\",
)  # fmt: skip


@pytest.mark.parametrize("address", BAD, ids=range(len(BAD)))
async def test_what_is_no_plain_address_is_refused_for_good_and_no_server_is_asked(address: str) -> None:
    async with mail_server() as office:
        channel = mail(office)
        refused = channel.refuses(address)
        assert refused
        no = await refusal(channel, to_li(address=address))
        assert (str(no), no.permanent) == (refused.en, True)
        assert office.protocols == []


@pytest.mark.parametrize("address", GOOD)
async def test_a_letter_goes_to_the_address_as_it_was_given_and_to_no_other(address: str) -> None:
    async with mail_server(utf8=True) as office:
        channel = mail(office)
        assert channel.refuses(address) is None
        await channel.send(to_li(address=address))
        assert [envelope.rcpt_tos for envelope in office.envelopes] == [[address]]
        assert not {"Cc", "Bcc"} & set(office.messages[0].keys())


async def test_an_address_beyond_ascii_is_refused_for_good_where_the_server_knows_none() -> None:
    async with mail_server() as office:
        no = await refusal(mail(office), to_li(address="li@学校.test"))
    assert (no.permanent, office.envelopes) == (True, [])
    assert str(no).startswith("127.0.0.1 does not offer what is needed: ")


# ---- the line --------------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A file with the certificate of the servers of these tests."""
    (tmp_path / "ca.pem").write_text(CERTIFICATE, "ascii")
    return tmp_path / "ca.pem"


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
async def test_the_line_is_closed_as_the_office_says(security: str, authority: Path) -> None:
    async with mail_server(tls=security) as office:
        assert await mail(office, security=security, ca_file=authority).send(to_li()) is False
        assert office.closed == [security != "none"]
        assert office.envelopes[0].mail_from == "office@edu.test"


async def test_lines_are_closed_unless_the_office_says_otherwise(authority: Path) -> None:
    async with mail_server(tls="tls") as office:
        told: dict[str, Any] = {"host": "127.0.0.1", "port": office.port, "sender": SENDER, "ca_file": authority}
        await build("mail", "mail", told, egress()).send(to_li())
        assert office.closed == [True]


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("wrong", [{"ca_file": None}, {"host": "localhost"}], ids=["unknown", "of another host"])
async def test_a_certificate_that_proves_nothing_gets_no_letter(
    security: str, wrong: dict[str, Any], authority: Path
) -> None:
    async with mail_server(tls=security, password="pa55-w0rd") as office:
        told: dict[str, Any] = {
            "security": security,
            "user": "loop",
            "password": "pa55-w0rd",
            "ca_file": authority,
            **wrong,
        }
        no = await refusal(mail(office, **told), to_li())
        assert str(no) == f"{told.get('host', '127.0.0.1')} shows a certificate that is not trusted"
        assert (no.permanent, office.envelopes, office.logins) == (False, [], [])


async def test_a_server_that_can_not_close_the_line_gets_neither_letter_nor_password(authority: Path) -> None:
    async with mail_server(password="pa55-w0rd") as office:
        told: dict[str, Any] = {"security": "starttls", "user": "loop", "password": "pa55-w0rd", "ca_file": authority}
        no = await refusal(mail(office, **told), to_li())
        assert (no.permanent, office.envelopes, office.logins) == (False, [], [])
    assert str(no).startswith("127.0.0.1 does not offer what is needed: SMTP STARTTLS")


async def test_who_has_a_password_signs_in_and_who_has_none_does_not(authority: Path) -> None:
    async with mail_server(tls="starttls", password="pa55-w0rd") as office:
        told: dict[str, Any] = {"security": "starttls", "ca_file": authority}
        await mail(office, user="loop", password="pa55-w0rd", **told).send(to_li())
        await mail(office, **told).send(to_li())
        assert (office.logins, office.closed) == (["loop"], [True, True])


async def test_a_wrong_password_is_refused_and_shown_to_nobody(authority: Path) -> None:
    async with mail_server({"MAIL": "550 pa55-w0rd-old is no good"}, tls="tls", password="pa55-w0rd") as office:
        told: dict[str, Any] = {"security": "tls", "ca_file": authority, "user": "loop"}
        no = await refusal(mail(office, password="pa55-w0rd-old", **told), to_li())
        assert (no.permanent, str(no).startswith("127.0.0.1 answered 535: 5.7.8")) == (True, True)
        office.password = "pa55-w0rd-old"
        echoed = await refusal(mail(office, password="pa55-w0rd-old", **told), to_li())
    assert str(echoed) == "127.0.0.1 answered 550: … is no good"
    assert "pa55" not in str(no)


async def test_a_server_where_nobody_can_sign_in_says_so() -> None:
    async with mail_server() as office:
        no = await refusal(mail(office, user="loop", password="pa55-w0rd"), to_li())
        assert (no.permanent, office.envelopes) == (False, [])
    assert str(no).startswith("127.0.0.1 does not offer what is needed: The SMTP AUTH")


# ---- answers ---------------------------------------------------------------------------------------------------------

ANSWERS = [
    (
        "RCPT",
        "550-5.1.1 No such user\r\n550 5.1.1 ask the school",
        True,
        "550: 5.1.1 No such user 5.1.1 ask the school",
    ),
    ("RCPT", "450 4.2.1 mailbox busy", False, "450: 4.2.1 mailbox busy"),
    ("DATA", "552 5.3.4 message too big", True, "552: 5.3.4 message too big"),
    ("DATA", "452 4.3.1\tdisk  full", False, "452: 4.3.1 disk full"),
    ("MAIL", "530 5.7.0 sign in first", True, "530: 5.7.0 sign in first"),
    ("MAIL", "421 4.3.2 " + "closing " * 90, False, "421: 4.3.2 " + ("closing " * 90)[:194]),
]


@pytest.mark.parametrize(("step", "answer", "permanent", "said"), ANSWERS)
async def test_what_the_server_says_is_quoted_and_its_first_digit_decides(
    step: str, answer: str, permanent: bool, said: str
) -> None:
    async with mail_server({step: answer}) as office:
        no = await refusal(mail(office), to_li())
    assert (str(no), no.permanent) == (f"127.0.0.1 answered {said}", permanent)


@pytest.mark.parametrize("farewell", [CUT, None, "421 4.4.2 too late", "500 what?"])
async def test_a_letter_that_was_taken_is_not_sent_again_however_the_line_ends(farewell: str | None) -> None:
    async with mail_server({"QUIT": farewell}) as office:
        assert await mail(office, timeout=0.4).send(to_li()) is False
        assert len(office.messages) == 1


async def test_a_server_that_never_greets_is_left() -> None:
    async with http_server(SILENCE) as server:
        told: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": server.port,
            "security": "none",
            "sender": SENDER,
            "timeout": 0.2,
        }
        no = await refusal(build("mail", "mail", told, egress()), to_li())
    assert (str(no), no.permanent) == ("127.0.0.1 did not answer in time", False)


async def test_many_letters_go_through_one_channel_at_the_same_time() -> None:
    async with mail_server() as office:
        channel = mail(office)
        await asyncio.gather(*(channel.send(to_li(id=f"n-{n}")) for n in range(20)))
        assert {str(one["Message-ID"]) for one in office.messages} == {f"<n-{n}@edu.test>" for n in range(20)}


@asynccontextmanager
async def nobody() -> AsyncIterator[int]:
    """A port at which nobody listens any more."""
    async with mail_server() as office:
        pass
    yield office.port


async def test_a_server_that_is_away_is_a_no_for_now() -> None:
    async with nobody() as port:
        told: dict[str, Any] = {"host": "127.0.0.1", "port": port, "security": "none", "sender": SENDER}
        no = await refusal(build("mail", "mail", told, egress()), to_li())
    assert (str(no), no.permanent) == ("127.0.0.1 can't be reached or broke off (SMTPConnectError)", False)
