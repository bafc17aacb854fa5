"""What an office sets for its channels: a fault names file, line and field, and no secret is shown by it or by anything else."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from loop.bootstrap import channels_of
from loop.kernel.messages import Channel, Letter
from loop.settings import SettingsError, load_settings
from notifiers import KINDS, build
from tests.channel_makers import letter, notice
from tests.channel_servers import CERTIFICATE, egress

ROBOT = 'url = "https://robot.test/send?key=s3cr3t"'
MAIL = 'host = "mail.test"\nsender = "office@edu.test"'
SMS = 'url = "https://sms.test/s3cr3t"\nsuccess = { path = "code" }'
OPTIONS: dict[str, dict[str, Any]] = {
    "inbox": {},
    "console": {},
    "webhook": {},
    "mail": {"host": "mail.test", "sender": "office@edu.test", "user": "loop", "password": "s3cr3t"},
    "sms": {
        "url": "https://sms.test/s3cr3t", "secret": "s3cr3t", "headers": {"X-Key": "s3cr3t"}, "body": '["s3cr3t"]',
        "success": {"path": "code"},
    },
    "wecom": {"url": "https://robot.test/s3cr3t"},
    "dingtalk": {"url": "https://robot.test/s3cr3t", "secret": "SECs3cr3t"},
    "feishu": {"url": "https://robot.test/s3cr3t", "secret": "s3cr3t"},
    "apprise": {"url": "json://loop:s3cr3t@a.test/{address}"},
}  # fmt: skip


def configured(folder: Path, *channels: str, more: str = "") -> dict[str, Channel]:
    """The channels of an office whose own file has these tables."""
    path = folder / "office.toml"
    path.write_text(
        more + "".join(f'[[channels]]\nname = "c{n}"\n{text}\n' for n, text in enumerate(channels)), "utf-8"
    )
    return channels_of(load_settings(path))


# ---- faults ----------------------------------------------------------------------------------------------------------

WRONG = [
    ("console", "per_minut = 3", 4, "per_minut", "Extra inputs are not permitted"),
    ("console", "per_minute = -1", 4, "per_minute", "greater than or equal to 0"),
    ("console", 'per_minute = "s3cr3t"', 4, "per_minute", "valid integer"),
    ("mail", f'{MAIL}\npassword = ["s3cr3t"]', 6, "password", "valid string"),
    ("mail", f'{MAIL}\npasword = "s3cr3t"', 6, "pasword", "Extra inputs are not permitted"),
    ("mail", f"{MAIL}\nport = 70000", 6, "port", "less than or equal to 65535"),
    ("mail", f'{MAIL}\nsecurity = "ssl"', 6, "security", "'tls', 'starttls' or 'none'"),
    ("mail", f"{MAIL}\ntimeout = 0", 6, "timeout", "greater than 0"),
    ("mail", f'{MAIL}\nca_file = "gone.pem"', 6, "ca_file", "does not point to a file"),
    ("mail", 'host = ""\nsender = "office@edu.test"', 4, "host", "at least 1 character"),
    ("mail", 'host = "mail.test"\nsender = "The office"', 5, "sender", 'written "Office <office@example.gov.cn>"'),
    ("mail", 'host = "mail.test"\nsender = "a@x.test, b@x.test"', 5, "sender", "the sender is written"),
    ("mail", 'host = "mail.test"\nsender = "督导@edu.test"', 5, "sender", "the sender is written"),
    ("mail", 'host = "mail.test"\nsender = "督导 <办@edu.test>"', 5, "sender", "the sender is written"),
    ("mail", 'host = "mail.test"\nsender = "Office <office@教育.test>"', 5, "sender", "the sender is written"),
    ("mail", 'host = "mail.test"\nsender = "a\\r\\nBcc: b@x.test <a@x.test>"', 5, "sender", "the sender is written"),
    (
        "mail",
        'host = "mail.test"\nsender = "\\"=?utf-8?q?x=0D=0ABcc:_b?=\\" <a@x.test>"',
        5,
        "sender",
        "the sender is written",
    ),
    ("mail", 'host = "mail.test"\nsender = ""', 5, "sender", "the sender is written"),
    ("mail", 'host = "mail.test"', 1, "sender", "Field required"),
    ("wecom", "", 1, "url", "Field required"),
    ("wecom", 'url = "s3cr3t"', 4, "url", 'written "https://host/path"'),
    ("wecom", 'url = "https://loop:s3cr3t@robot.test/"', 4, "url", "without a user in it"),
    ("wecom", 'url = "https://robot.test:s3cr3t/"', 4, "url", 'written "https://host/path"'),
    ("wecom", f'{ROBOT}\nsecret = "s3cr3t"', 5, "secret", "Extra inputs are not permitted"),
    ("dingtalk", f"{ROBOT}\nsecret = 3", 5, "secret", "valid string"),
    ("feishu", 'url = ""', 4, "url", 'written "https://host/path"'),
    ("sms", f'{SMS}\nbody = "s3cr3t"', 6, "body", "the body is no JSON"),
    ("sms", f'{SMS}\nheaders = {{ X-Key = "督s3cr3t" }}', 6, "headers", "printable ASCII"),
    ("sms", 'url = "https://sms.test/s3cr3t"\nsuccess = { pattern = "(" }', 5, "success", "is no regular expression"),
    ("sms", 'url = "https://sms.test/s3cr3t"\n[channels.success]\nequals = [0]', 1, "success", "a path or a pattern"),
    ("apprise", 'url = "json://{address}/s3cr3t"', 4, "url", "can't choose the host"),
    ("pigeon", "", 3, "kind", "there is no kind pigeon; choose one of apprise, console, dingtalk"),
]


@pytest.mark.parametrize(("kind", "text", "line", "field", "advice"), WRONG, ids=range(len(WRONG)))
def test_a_fault_names_file_line_and_field_and_never_what_was_given(
    tmp_path: Path, kind: str, text: str, line: int, field: str, advice: str
) -> None:
    with pytest.raises(SettingsError) as wrong:
        configured(tmp_path, f'kind = "{kind}"\n{text}')
    said = str(wrong.value)
    assert said.startswith(f"{tmp_path / 'office.toml'}, line {line}: ")
    assert field in said
    assert advice in said
    assert len(said.splitlines()) == 1
    assert "s3cr3t" not in said


def test_the_right_one_of_several_channels_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as wrong:
        configured(tmp_path, 'kind = "console"', f'kind = "wecom"\n{ROBOT}', 'kind = "feishu"\nurl = "s3cr3t"')
    assert "line 11: [channels] 2.url: " in str(wrong.value)


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_takes_an_option_that_it_does_not_know(kind: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        build("x", kind, OPTIONS[kind] | {"s3cr3t_key": "s3cr3t"}, egress())
    assert [error["loc"] for error in wrong.value.errors(include_input=False)] == [("s3cr3t_key",)]


# ---- secrets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_is_shown_by_whatever_shows_a_channel(kind: str) -> None:
    options = KINDS[kind].Options.read(OPTIONS[kind])
    channel = build("x", kind, OPTIONS[kind], egress())
    shown = (repr(options), str(options), repr(channel), str(channel), repr(vars(channel)), str(options.model_dump()))
    assert not any("s3cr3t" in text for text in shown)
    assert "s3cr3t" not in options.model_dump_json()
    with pytest.raises(ValidationError) as wrong:
        KINDS[kind].Options.read(OPTIONS[kind] | {"per_minute": "s3cr3t"})
    assert "s3cr3t" not in str(wrong.value) + repr(wrong.value)


def test_a_letter_shows_what_it_says_and_not_what_it_is_signed_with() -> None:
    told = letter(secrets=("whsec_s3cr3t",))
    assert told.id in repr(told)
    assert "s3cr3t" not in repr(told) + str(told)
    assert told != letter(secrets=("another",))


SECRETS = [("wecom", "url"), ("dingtalk", "url"), ("dingtalk", "secret"), ("feishu", "secret"), ("mail", "password")] + [
    ("sms", name) for name in ("url", "secret", "body")
] + [("apprise", "url")]  # fmt: skip


@pytest.mark.parametrize(("kind", "field"), SECRETS)
def test_a_secret_may_stand_in_a_file_and_then_stands_nowhere_else(tmp_path: Path, kind: str, field: str) -> None:
    path = tmp_path / "secret"
    given = dict(OPTIONS[kind])
    value = given.pop(field)
    path.write_text(f"  {value}\n", "utf-8")
    options = KINDS[kind].Options.read(given | {f"{field}_file": str(path)})
    assert getattr(options, field).get_secret_value() == value
    assert options == KINDS[kind].Options.read(OPTIONS[kind])


@pytest.mark.parametrize(("kind", "field"), SECRETS)
def test_a_file_that_can_not_be_read_is_named_by_field_and_path(tmp_path: Path, kind: str, field: str) -> None:
    (tmp_path / "binary").write_bytes(b"s3cr3t\xff\xfe")
    given = {name: value for name, value in OPTIONS[kind].items() if name != field}
    for name in ("gone", "binary", "."):
        with pytest.raises(ValidationError) as wrong:
            KINDS[kind].Options.read(given | {f"{field}_file": str(tmp_path / name)})
        (error,) = wrong.value.errors()
        assert error["loc"] == (f"{field}_file",)
        assert f"{tmp_path / name} can't be read" in error["msg"]
        assert "s3cr3t" not in str(wrong.value)


@pytest.mark.parametrize(("kind", "field"), SECRETS)
def test_a_secret_is_given_once(tmp_path: Path, kind: str, field: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        KINDS[kind].Options.read(OPTIONS[kind] | {f"{field}_file": str(tmp_path / "secret")})
    (error,) = wrong.value.errors()
    assert (error["loc"], error["msg"]) == ((f"{field}_file",), f"give {field} or {field}_file, not both")
    assert "s3cr3t" not in str(wrong.value)


def test_an_empty_file_is_no_secret_and_a_file_is_named_for_secrets_alone(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n", "utf-8")
    for kind, given in (
        ("wecom", {"url_file": "empty"}),
        ("apprise", {"url_file": "empty"}),
        ("mail", {"host_file": "empty"}),
    ):
        told = {name: str(tmp_path / value) for name, value in given.items()}
        with pytest.raises(ValidationError):
            KINDS[kind].Options.read({**({} if kind != "mail" else OPTIONS[kind]), **told})


def test_the_authority_of_a_mail_server_is_looked_at_before_the_first_letter(tmp_path: Path) -> None:
    (tmp_path / "good.pem").write_text(CERTIFICATE, "ascii")
    (tmp_path / "bad.pem").write_text("no certificate", "ascii")
    build("x", "mail", OPTIONS["mail"] | {"ca_file": str(tmp_path / "good.pem")}, egress())
    with pytest.raises(ValidationError, match="holds no certificate"):
        build("x", "mail", OPTIONS["mail"] | {"ca_file": str(tmp_path / "bad.pem")}, egress())


# ---- an office's own file --------------------------------------------------------------------------------------------


def test_channels_of_every_kind_come_out_of_one_file_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("https://robot.test/s3cr3t", "utf-8")
    found = configured(
        tmp_path, f'kind = "mail"\n{MAIL}', f'kind = "sms"\n{SMS}', f'kind = "wecom"\nurl_file = "{tmp_path / "key"}"\nper_minute = 5',
        f'kind = "dingtalk"\nregion = "330106"\n{ROBOT}', f'kind = "feishu"\n{ROBOT}', 'kind = "console"',
        'kind = "apprise"\nurl = "json://a.test/{address}"',
    )  # fmt: skip
    kinds = ["mail", "sms", "wecom", "dingtalk", "feishu", "console", "apprise"]
    assert {name: channel.kind for name, channel in found.items()} == {
        "webhook": "webhook", **{f"c{n}": kind for n, kind in enumerate(kinds)},
    }  # fmt: skip
    assert [found[f"c{n}"].name for n in range(7)] == [f"c{n}" for n in range(7)]
    assert found["c2"].per_minute == 5


def test_the_networks_that_the_office_opens_are_open_for_webhooks(tmp_path: Path) -> None:
    opened = '[notifications]\nallow_networks = ["10.1.0.0/16", "fd00:1::/32"]\n'
    for more, refused in (("", [True, True, True]), (opened, [False, False, True])):
        channel = configured(tmp_path, more=more)["webhook"]
        hosts = ("10.1.2.3", "[fd00:1::9]", "10.2.0.1")
        assert [channel.refuses(f"http://{host}/") is not None for host in hosts] == refused


def test_a_network_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"office\.toml, line 2: .*'10\.1\.0\.1/16' is no network"):
        configured(tmp_path, more='[notifications]\nallow_networks = ["10.1.0.1/16"]\n')


# ---- the console -----------------------------------------------------------------------------------------------------


async def test_the_console_prints_what_a_person_would_read_and_no_secrets() -> None:
    told = letter(notice(urgent=True), address="li@school.test", secrets=("whsec_s3cr3t",))
    with capture_logs() as printed:
        assert await build("desk", "console", {}, egress()).send(told) is False
    (event,) = printed
    assert (event["event"], event["log_level"], event["channel"]) == ("letter.printed", "info", "desk")
    assert (event["id"], event["address"], event["subject"]) == (
        told.id,
        "li@school.test",
        "【整改闭环】待办：示范小学",
    )
    assert event["text"].splitlines()[:2] == [
        "【紧急】浙督〔2026〕7号 示范小学《校园消防通道被占用》",
        "督导意见书已送达。",
    ]
    assert "s3cr3t" not in str(event)


async def test_a_title_does_not_command_the_terminal() -> None:
    hostile = "\x1b[2J\x1b]0;x\x07题\r\n2026-03-02 [info] forged\u202e"
    with capture_logs() as printed:
        await build("desk", "console", {}, egress()).send(letter(notice(hostile, said=hostile), subject=hostile))
    (event,) = printed
    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(event["text"] + event["subject"])
    assert len(event["text"].splitlines()) == 5


async def test_the_inbox_is_a_delivery_by_itself() -> None:
    told = letter()
    before = asdict(told)
    assert await build("inbox", "inbox", {}, egress()).send(told) is True
    assert asdict(told) == before
    assert await build("inbox", "inbox", {}, egress()).send(Letter(id="n-1")) is True
