"""Text messages through a gateway of the office's choice: one HTTP request, described by a template."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from loop.kernel.labels import Label
from loop.kernel.messages import PERSON, Letter, SendFailed
from notifiers import template
from notifiers.answer import Answer
from notifiers.options import NO_SECRET, ChannelOptions, Configured
from notifiers.rendering import line
from notifiers.robot import FREQUENCY
from notifiers.secret import SecretUrl, quoted

NUMBER = re.compile(r"\+?[0-9]{5,20}")
HOST = re.compile(r"[^:]*://[^/?#]*")
TYPES = {"json": "application/json; charset=utf-8", "form": "application/x-www-form-urlencoded"}
NO_NUMBER = Label("请填写手机号码，只含数字。", "a telephone number is written in digits, such as 13800000000")
IN_HEADER = ("secret", "id")


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
    headers: Mapping[str, SecretStr] = {}
    form: Literal["json", "form"] = "json"
    body: SecretStr = NO_SECRET
    secret: SecretStr = NO_SECRET
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
    def plain_headers(cls, headers: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
        for name, value in headers.items():
            told = template.known_only(value.get_secret_value(), IN_HEADER)
            if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not re.fullmatch(r"[ -~]*", told):
                raise ValueError("a header is written in printable ASCII")
        return headers

    @model_validator(mode="after")
    def readable_body(self) -> SmsOptions:
        body = self.body.get_secret_value()
        if body and self.form == "json":
            try:
                tree = json.loads(body)
            except ValueError as wrong:
                raise ValueError(f"body is no JSON: {type(wrong).__name__}") from None
            template.each_string(tree, template.known_only)
        template.known_only(body) if self.form == "form" else None
        return self


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
            raise SendFailed(refusal.en, permanent=True)
        told, text = self._options, line(letter, self._options.longest)
        given = template.values(
            address=letter.address, text=text, id_=letter.id, secret=told.secret.get_secret_value()
        )  # fmt: skip
        headers = {name: template.filled(value.get_secret_value(), given) for name, value in told.headers.items()}
        answer = await self._egress.request(
            template.filled_address(told.url.get_secret_value(), given),
            method=told.method, content=self._body(given), headers={"Content-Type": TYPES[told.form], **headers},
        )  # fmt: skip
        self._judge(answer, SecretStr(letter.address), SecretStr(text))
        return False

    def _body(self, given: template.Values) -> bytes:
        body = self._options.body.get_secret_value()
        if not body:
            return b""
        return template.filled_json(body, given) if self._options.form == "json" else template.filled_form(body, given)

    def _judge(self, answer: Answer, *private: SecretStr) -> None:
        told = self._options
        if answer.accepted and told.success.on(answer):
            return
        # JSON may spell Chinese in numbers, which nobody reads.
        words = answer.text if answer.json is None else json.dumps(answer.json, ensure_ascii=False)
        said = quoted(words, told.url, told.secret, *told.headers.values(), *private)
        if told.again and told.again.on(answer):
            raise SendFailed(f"{answer.host} can't take it now: {said}", retry_after=answer.retry_after)
        answer.check()
        unread = not answer.complete or not answer.text.strip() or bool(told.success.path and answer.json is None)
        passing = unread or FREQUENCY.search(said) is not None
        raise SendFailed(f"{answer.host} refused: {said}", permanent=not passing, retry_after=answer.retry_after)


def _spelt(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
