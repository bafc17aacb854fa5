"""Text messages through a gateway of the office's choice: one HTTP request, described by a template."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)  # fmt: skip

from loop.kernel.labels import Label
from loop.kernel.messages import PERSON, Letter, SendFailed
from notifiers import reasons, template
from notifiers.answer import Answer
from notifiers.options import NO_SECRET, ChannelOptions, Configured
from notifiers.rendering import line
from notifiers.robot import FREQUENCY
from notifiers.secret import TELLING, SecretUrl, quoted

NUMBER = re.compile(r"\+?[0-9]{5,20}")
HOST = re.compile(r"[^:]*://[^/?#]*")
TYPES = {"json": "application/json; charset=utf-8", "form": "application/x-www-form-urlencoded"}
NO_NUMBER = Label("请填写手机号码，只含数字。", "a telephone number is written in digits, such as 13800000000")
IN_HEADER = ("secret", "id")
OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})
"""Headers that frame a request: set twice, they would make two of one."""
NATIONAL = 11
"""Digits of a mobile number without the number of its country."""


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as wrong:
        raise ValueError(f"is no regular expression: {wrong}") from wrong
    return text


class Sign(BaseModel):
    """By what an answer is known: the value at a dotted `path` of its JSON is one of `equals`, or `pattern` is found."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = ""
    equals: tuple[str | int | bool, ...] = (0,)
    pattern: Annotated[str, AfterValidator(_pattern)] = ""

    @model_validator(mode="after")
    def one_way(self) -> Sign:
        if bool(self.path) == bool(self.pattern):
            raise ValueError("give a path or a pattern, one of them")
        return self

    def on(self, answer: Answer) -> bool:
        """Whether the answer bears this sign."""
        if self.pattern:
            return re.search(self.pattern, answer.text) is not None
        found = answer.json
        for step in self.path.split("."):
            if isinstance(found, list) and step.isdecimal() and int(step) < len(found):
                found = found[int(step)]
            else:
                found = found.get(step) if isinstance(found, dict) else None
        return _spelt(found) in {_spelt(value) for value in self.equals}


class SmsOptions(ChannelOptions):
    """The request as `notifiers.template` describes it, how an answer shows success, how long a message may be.

    `again` tells refusals that pass; every other one is for good unless it speaks of frequency.
    """

    url: SecretUrl
    method: Literal["POST", "PUT", "GET"] = "POST"
    secret: SecretStr = NO_SECRET
    headers: Mapping[str, SecretStr] = {}
    form: Literal["json", "form"] = "json"
    body: SecretStr = NO_SECRET
    success: Sign
    again: Sign | None = None
    longest: Annotated[int, Field(ge=40)] = 200
    """Characters; about three parts of 67."""

    @field_validator("url")
    @classmethod
    def no_choice_of_host(cls, url: SecretStr) -> SecretStr:
        host = HOST.match(template.known_only(url.get_secret_value()))
        if host and "{" in host[0]:
            raise ValueError("a placeholder can't choose the host")
        return url

    @field_validator("headers")
    @classmethod
    def plain_headers(cls, headers: Mapping[str, SecretStr], info: ValidationInfo) -> Mapping[str, SecretStr]:
        secret = info.data.get("secret", NO_SECRET).get_secret_value()
        for name, value in headers.items():
            told = template.known_only(value.get_secret_value(), IN_HEADER)
            told = template.filled(told, {"secret": secret, "id": ""})
            if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not re.fullmatch(r"[ -~]*", told):
                raise ValueError("a header, and a secret in it, is written in printable ASCII")
            if name.lower() in OURS:
                raise ValueError(f"the header {name} is not for an office to set")
        return headers

    @field_validator("body")
    @classmethod
    def readable_body(cls, body: SecretStr, info: ValidationInfo) -> SecretStr:
        try:
            texts = template.texts(body.get_secret_value(), info.data.get("form", "json"))
        except (ValueError, RecursionError) as wrong:
            raise ValueError(f"the body is no JSON: {type(wrong).__name__}") from None
        for text in texts:
            template.known_only(text)
        return body

    @cached_property
    def hidden(self) -> tuple[SecretStr, ...]:
        """What an office's template holds that nobody needs to read in an error."""
        headers = [value.get_secret_value() for value in self.headers.values()]
        fixed = map(template.fixed, [*headers, *template.texts(self.body.get_secret_value(), self.form)])
        return self.url, self.secret, *(SecretStr(text) for text in fixed if len(text) >= TELLING)


class Sms(Configured[SmsOptions]):
    """Reaches the telephone at the letter's address."""

    kind = "sms"
    reaches = PERSON
    Options = SmsOptions

    def refuses(self, address: str) -> Label | None:
        return None if NUMBER.fullmatch(address) else NO_NUMBER

    async def send(self, letter: Letter) -> bool:
        """Hand the text to the gateway, which says nothing of whether it arrives."""
        if refusal := self.refuses(letter.address):
            raise SendFailed(refusal, permanent=True)
        told, text = self._options, line(letter, self._options.longest)
        given = template.values(
            address=letter.address, text=text, id_=letter.id, secret=told.secret.get_secret_value()
        )  # fmt: skip
        headers = {name: template.filled(value.get_secret_value(), given) for name, value in told.headers.items()}
        if "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = TYPES[told.form]
        answer = await self._egress.request(
            template.filled_address(told.url.get_secret_value(), given),
            method=told.method, content=self._body(given), headers=headers,
        )  # fmt: skip
        self._judge(answer, letter.address, SecretStr(text), SecretStr(given["text_json"]))
        return False

    async def knock(self) -> str:
        return await self._egress.knock(self._options.url.get_secret_value())

    def _body(self, given: template.Values) -> bytes:
        body = self._options.body.get_secret_value()
        if not body:
            return b""
        return template.filled_json(body, given) if self._options.form == "json" else template.filled_form(body, given)

    def _judge(self, answer: Answer, number: str, *private: SecretStr) -> None:
        told = self._options
        if answer.accepted and told.success.on(answer):
            return
        # JSON may spell Chinese in numbers, which nobody reads.
        words = answer.text if answer.json is None else json.dumps(answer.json, ensure_ascii=False)
        said = quoted(_without_number(words, number), *told.hidden, *private)
        if told.again and told.again.on(answer):
            raise SendFailed(reasons.BUSY.filled(host=answer.host, said=said), retry_after=answer.retry_after)
        answer.check()
        unread = not answer.complete or not answer.text.strip() or bool(told.success.path and answer.json is None)
        passing = unread or FREQUENCY.search(said) is not None
        why = reasons.REFUSED.filled(host=answer.host, said=said)
        raise SendFailed(why, permanent=not passing, retry_after=answer.retry_after)


def _without_number(words: str, number: str) -> str:
    """The words without the telephone number, however it is spaced, and with or without the number of a country."""
    digits = number.lstrip("+")
    for shown in (digits, digits[-NATIONAL:]):
        words = re.sub("[ -]?".join(shown), "…", words)
    return words


def _spelt(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
