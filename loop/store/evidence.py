"""Evidence: files kept on disk by the SHA-256 of their content, and the rows that attach them to findings.

A file is complete on disk before the transaction that names it, so a row never points at nothing.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import tempfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import bindparam, select

from loop.kernel.errors import Invalid, NotFound, TooLarge, Unavailable, UnsupportedFile
from loop.kernel.labels import Label
from loop.store.core import table_of
from loop.store.filetypes import MIME, UNKNOWN, kind_of
from loop.store.session import Tx
from loop.store.sql import Prepared, upsert
from loop.store.tables import AttachmentRow, FileRow

_CHUNK = 1 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LONGEST_NAME = 120
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that lies safely on disk. `name` is what its uploader called it, made harmless."""

    sha256: str
    size: int
    type: str
    name: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as part of a finding; `chain` is the finding's number, `seq` the event that attached it."""

    id: str
    chain: str
    seq: int
    sha256: str
    name: str
    by_id: str
    size: int
    type: str


class Evidence:
    """The folder of evidence files. `limit` is the largest accepted size in bytes, `types` the accepted kinds."""

    def __init__(self, folder: Path, limit: int, types: frozenset[str] = frozenset(MIME)) -> None:
        if strangers := types - MIME.keys():
            raise ValueError(f"kinds of file that cannot be recognised: {sorted(strangers)}")
        self._folder = folder
        self._limit = limit
        self._types = types

    def put(self, content: BinaryIO | bytes, name: str) -> StoredFile:
        """Keep one file.

        Raises TooLarge, UnsupportedFile, Invalid (it is empty) or Unavailable (the disk does not take it).
        """
        source = BytesIO(content) if isinstance(content, bytes) else content
        called = clean_name(name)
        with _disk(), self._temporary() as (file, path):
            digest, size = self._copied(source, file)
            kind = kind_of(path, called)
            if kind not in self._types:
                raise _unsupported(kind, ", ".join(sorted(self._types)))
            self._settle(path, digest)
        return StoredFile(digest, size, MIME[kind], called)

    def path_of(self, sha256: str) -> Path:
        """Where the file with this digest lies; raises NotFound for what is no digest, Unavailable if it is gone."""
        if not _DIGEST.fullmatch(sha256):
            raise NotFound
        path = self._place(sha256)
        if not path.is_file():
            raise Unavailable(why=f"evidence file {sha256} is missing from {self._folder}")
        return path

    def open_(self, sha256: str) -> BinaryIO:
        """The file with this digest, opened for reading; raises as `path_of`."""
        return self.path_of(sha256).open("rb")

    def stored(self) -> Iterator[str]:
        """The digests of all files on disk, for backup and for finding what no row names."""
        yield from (path.name for path in sorted(self._folder.glob("??/??/*")) if _DIGEST.fullmatch(path.name))

    def _place(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256[2:4] / sha256

    @contextlib.contextmanager
    def _temporary(self) -> Iterator[tuple[BinaryIO, Path]]:
        incoming = self._folder / "incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=incoming)
        path = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file, path
        finally:
            path.unlink(missing_ok=True)

    def _copied(self, source: BinaryIO, file: BinaryIO) -> tuple[str, int]:
        """Digest and size of what was written and forced to disk; stops as soon as it grows past the limit."""
        digest, size = hashlib.sha256(), 0
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > self._limit:
                raise TooLarge(limit=self._limit)
            digest.update(chunk)
            file.write(chunk)
        if not size:
            raise Invalid.field("file", "文件是空的。", "the file is empty.", "empty")
        file.flush()
        os.fsync(file.fileno())
        return digest.hexdigest(), size

    def _settle(self, path: Path, digest: str) -> None:
        """Move the finished file to its place, in a way that survives a loss of power."""
        place = self._place(digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)
        for folder in (place.parent, place.parent.parent, self._folder):
            _sync(folder)


def _unsupported(kind: str, accepted: str) -> UnsupportedFile:
    """The refusal of a file of this kind, in words where the kind has no name."""
    words = Label("未知类型", "of an unknown type") if kind == UNKNOWN else Label(kind, kind)
    zh, en = (text.format(type=word, accepted=accepted) for text, word in zip(UnsupportedFile.text, words, strict=True))
    return UnsupportedFile(Label(zh, en), type=kind, accepted=accepted)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _disk() -> Iterator[None]:
    """Turns what the disk refuses into Unavailable."""
    try:
        yield
    except OSError as error:
        why = "the disk is full" if error.errno in _FULL else "evidence cannot be stored"
        raise Unavailable(why=f"{why} ({os.strerror(error.errno or errno.EIO)})") from error


def clean_name(name: str) -> str:
    """A file name that is only a name: no folders, no control or direction marks, no leading dots, not too long."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    kept = kept.strip().lstrip(".").strip()
    if len(kept) > _LONGEST_NAME:
        stem, dot, extension = kept.rpartition(".")
        tail = dot + extension if stem and len(extension) <= 8 else ""
        kept = kept[: _LONGEST_NAME - len(tail)] + tail
    # What was cut out may leave parts that compose, or a blank at the end.
    return unicodedata.normalize("NFC", kept).strip() or "file"


# ---- rows --------------------------------------------------------------------------------------------------------

_FILE, _ATTACHMENT = table_of(FileRow), table_of(AttachmentRow)
_KEEP = Prepared(upsert(_FILE, ["sha256"]))
_ATTACH = Prepared(_ATTACHMENT.insert())
_WITH_FILE = select(_ATTACHMENT, _FILE.c.size, _FILE.c.type).join_from(
    _ATTACHMENT, _FILE, _FILE.c.sha256 == _ATTACHMENT.c.sha256
)
_ONE = Prepared(_WITH_FILE.where(_ATTACHMENT.c.id == bindparam("id")))
_OF = Prepared(
    _WITH_FILE.where(_ATTACHMENT.c.chain == bindparam("chain")).order_by(_ATTACHMENT.c.seq, _ATTACHMENT.c.id)
)
_IDS = Prepared(select(_ATTACHMENT.c.id).where(_ATTACHMENT.c.chain == bindparam("chain")))


def attach(tx: Tx, file: StoredFile, *, id_: str, chain: str, seq: int, by_id: str) -> Attachment:
    """Record a stored file as attachment `id_` of the finding `chain`, by its event `seq`."""
    tx.run(_KEEP, sha256=file.sha256, size=file.size, type=file.type)
    tx.run(_ATTACH, id=id_, chain=chain, seq=seq, sha256=file.sha256, name=file.name, by_id=by_id)
    return Attachment(id_, chain, seq, file.sha256, file.name, by_id, file.size, file.type)


def attachment(tx: Tx, id_: str) -> Attachment:
    """One attachment; raises NotFound. Whether the reader may see its finding is the caller's question."""
    row = tx.one(_ONE, id=id_)
    if row is None:
        raise NotFound
    return Attachment(*row)


def of_finding(tx: Tx, chain: str) -> tuple[Attachment, ...]:
    """The attachments of a finding, oldest first."""
    return tuple(Attachment(*row) for row in tx.all(_OF, chain=chain))


def ids(tx: Tx, chain: str) -> frozenset[str]:
    """The ids of a finding's attachments."""
    return frozenset(row[0] for row in tx.all(_IDS, chain=chain))
