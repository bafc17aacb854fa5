"""Files that came with a form which was refused: they lie on disk, and the form that is shown again carries a signed claim
on each, so that nobody has to choose them a second time and nobody can claim a file that was not theirs.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass

from loop.engine.links import Seal
from loop.store.evidence import StoredFile
from loop.web.sent import Sent
from loop.web.uploads import Upload

KEPT = "_kept"


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that was kept: its name to show, and the token by which the form names it."""

    name: str
    token: str


def claims(seal: Seal, person_id: str, uploads: Iterable[Upload]) -> tuple[Claim, ...]:
    """A claim of this person on each of these files."""
    return tuple(Claim(one.file.name, _token(seal, person_id, one.file)) for one in uploads)


def claimed(seal: Seal, person_id: str, sent: Sent) -> tuple[Upload, ...]:
    """The files that the form claims with good reason; what is no claim of this person is left out."""
    found = (_file(seal, person_id, token) for token in sent.all(KEPT))
    return tuple(Upload("", file) for file in found if file)


def _token(seal: Seal, person_id: str, file: StoredFile) -> str:
    text = json.dumps([file.sha256, file.size, file.type, file.name])
    return f"{seal.sign(f'{person_id}:{text}')}.{text}"


def _file(seal: Seal, person_id: str, token: str) -> StoredFile | None:
    signature, _, text = token.partition(".")
    wanted = seal.sign(f"{person_id}:{text}")
    if not hmac.compare_digest(signature.encode("utf-8", "replace"), wanted.encode()):
        return None
    sha256, size, kind, name = json.loads(text)
    return StoredFile(sha256=sha256, size=size, type=kind, name=name)
