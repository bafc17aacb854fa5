"""What a file really is, judged by its content and never by its name alone."""

from __future__ import annotations

import codecs
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import filetype

MIME = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "jpg": "image/jpeg",
    "png": "image/png",
    "heic": "image/heic",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
    "txt": "text/plain",
    "csv": "text/csv",
}
"""Every kind that can be accepted, with its media type."""

PICTURES = frozenset(MIME[kind] for kind in ("jpg", "png", "webp"))
"""What every browser can draw."""
UNKNOWN = "unknown"
_CHUNK = 1 << 20
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = {"doc": ("WordDocument",), "xls": ("Workbook", "Book"), "ppt": ("PowerPoint Document",)}
_OOXML_PARTS = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml", "pptx": "ppt/presentation.xml"}
_MARKUP = re.compile(rb"\s*<(!doctype|html|head|body|script|svg|\?xml|\?php|iframe|math)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def kind_of(path: Path, name: str) -> str:
    """The kind of the file at `path`, such as "pdf"; `name` only settles what content leaves open (txt or csv)."""
    with path.open("rb") as file:
        head = file.read(8192)
    if head.startswith(_OLE):
        return _ole(path, name)
    if head.startswith(b"PK\x03\x04"):
        return _zipped(path)
    if guessed := filetype.guess(head):
        return str(guessed.extension)
    if _MARKUP.match(head.removeprefix(codecs.BOM_UTF8)):
        return "html"
    if not _is_text(path):
        return UNKNOWN
    return "csv" if name.lower().endswith(".csv") else "txt"


def _ole(path: Path, name: str) -> str:
    """Word, Excel or PowerPoint of the old format; an installer or a mail in the same container is unknown."""
    kinds = list(_ole_kinds(path))
    extension = name.rpartition(".")[2].lower()
    if extension in kinds:
        return extension
    return kinds[0] if kinds else UNKNOWN


def _ole_kinds(path: Path) -> Iterator[str]:
    for kind, streams in _OLE_STREAMS.items():
        if any(_holds(path, stream.encode("utf-16-le") + b"\0\0") for stream in streams):
            yield kind


def _holds(path: Path, wanted: bytes) -> bool:
    """Whether `wanted` stands anywhere in the file, also across two chunks."""
    rest = b""
    for chunk in _chunks(path):
        if wanted in rest + chunk:
            return True
        rest = chunk[-len(wanted) :]
    return False


def _zipped(path: Path) -> str:
    """Word, Excel or PowerPoint of the new format, without macros; any other archive is "zip"."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return UNKNOWN
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        return "macro"
    return next((kind for kind, part in _OOXML_PARTS.items() if part in names), "zip")


def _is_text(path: Path) -> bool:
    """Whether the whole file is UTF-8 or GB18030 text without control characters."""
    return any(_decodes(_chunks(path), encoding) for encoding in ("utf-8", "gb18030"))


def _decodes(chunks: Iterable[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        if any(_CONTROL.search(decoder.decode(chunk)) for chunk in chunks):
            return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
