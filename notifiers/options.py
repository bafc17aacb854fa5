"""What every channel has in common: options that were checked, and a way to be made from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from loop.kernel.labels import Label
from loop.kernel.messages import Letter
from notifiers.egress import Egress
from notifiers.secret import read_secret

PerMinute = Annotated[int, Field(ge=0)]
"""Letters that may be carried in a minute, 0 for any number."""
FILE = "_file"
NO_SECRET = SecretStr("")


class ChannelOptions(BaseModel):
    """What may be set for a channel; a misspelt name is an error, and no error shows what was given."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    per_minute: PerMinute = 0

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """Check what was given, after reading each secret `x` whose file is named by `x_file`; raises ValidationError."""
        values = dict(given)
        for name, field in cls.model_fields.items():
            path = values.pop(name + FILE, None) if field.annotation is SecretStr else None
            if path is None:
                continue
            if name in values:
                raise cls._wrong(name + FILE, f"give {name} or {name}{FILE}, not both")
            try:
                values[name] = read_secret(str(path))
            except ValueError as unreadable:
                raise cls._wrong(name + FILE, str(unreadable)) from None
        return cls.model_validate(values)

    @classmethod
    def _wrong(cls, where: str, why: str) -> ValidationError:
        said = PydanticCustomError("secret_file", "{why}", {"why": why})
        return ValidationError.from_exception_data(
            cls.__name__, [InitErrorDetails(type=said, loc=(where,), input="")], hide_input=True
        )


O = TypeVar("O", bound=ChannelOptions)  # noqa: E741 - read beside its bound there is no doubt about the letter


class Configured(ABC, Generic[O]):
    """A channel made from checked options. It keeps nothing between two letters, so any number may be under way."""

    kind: str
    reaches: str
    Options: ClassVar[type[ChannelOptions]] = ChannelOptions

    def __init__(self, name: str, options: O, egress: Egress) -> None:
        self.name = name
        self.per_minute = options.per_minute
        self._options = options
        self._egress = egress

    def refuses(self, address: str) -> Label | None:
        """Why this can be no address of this channel, None where it can. A group has none, and so refuses none."""
        return None

    @abstractmethod
    async def send(self, letter: Letter) -> bool:
        """Hand the letter over; True where it is known to have arrived. Raises `SendFailed`."""

    async def knock(self) -> str:
        """The host that letters go to, once it opened; raises `SendFailed`. Empty where none is known before a letter is."""
        return ""
