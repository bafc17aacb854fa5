"""Evidence: what is kept, what is refused by its content, and that a row never names a file that is not there."""

import io
import resource
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop.kernel.errors import Invalid, LoopError, NotFound, TooLarge, Unavailable, UnsupportedFile
from loop.store import evidence
from loop.store.evidence import Evidence, StoredFile, clean_name
from loop.store.filetypes import MIME
from loop.store.session import Store

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name in names:
            made.writestr(name, "x" * 50)
    return buffer.getvalue()


def ole(*streams: str) -> bytes:
    return OLE + b"\0" * 2000 + b"".join(name.encode("utf-16-le") + b"\0" * 40 for name in streams)


DOCX = archive("[Content_Types].xml", "word/document.xml")
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 32
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 32


@pytest.fixture
def shelf(tmp_path: Path) -> Evidence:
    return Evidence(tmp_path / "evidence", limit=100_000)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("content", "name", "type_"),
    [
        (PDF, "通知.pdf", "application/pdf"),
        (PDF, "photo.png", "application/pdf"),
        (PNG, "a.png", "image/png"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 64, "a.jpg", "image/jpeg"),
        (b"RIFF\x24\0\0\0WEBPVP8 " + b"\0" * 32, "a.webp", "image/webp"),
        (HEIC, "a.heic", "image/heic"),
        (MP4, "a.mp4", "video/mp4"),
        (b"ID3\x03\0\0\0\0\0\0" + b"\0" * 32, "a.mp3", "audio/mpeg"),
        (DOCX, "a.docx", MIME["docx"]),
        (archive("xl/workbook.xml", "[Content_Types].xml"), "a.xlsx", MIME["xlsx"]),
        (archive("ppt/presentation.xml"), "a.pptx", MIME["pptx"]),
        (ole("Root Entry", "WordDocument"), "a.doc", "application/msword"),
        (ole("Root Entry", "Workbook"), "a.xls", "application/vnd.ms-excel"),
        (ole("Root Entry", "Book"), "renamed.doc", "application/vnd.ms-excel"),
        (ole("Root Entry", "PowerPoint Document"), "a.ppt", "application/vnd.ms-powerpoint"),
        (ole("WordDocument", "Workbook"), "with_a_letter_inside.xls", "application/vnd.ms-excel"),
        ("整改报告\r\n第一条".encode(), "a.txt", "text/plain"),
        ("整改报告,日期\n".encode("gb18030"), "A.CSV", "text/csv"),
        ("\ufeff序号,名称\n".encode(), "a.csv", "text/csv"),
        (b"a < b and <b>", "a.txt", "text/plain"),
    ],
)
def test_a_file_is_kept_as_what_it_is(shelf: Evidence, content: bytes, name: str, type_: str) -> None:
    kept = shelf.put(content, name)
    assert (kept.type, kept.size, kept.name) == (type_, len(content), name)
    with shelf.open_(kept.sha256) as file:
        assert file.read() == content


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"MZ\x90\0" + b"\0" * 200, "report.pdf"),
        (b"\x7fELF" + b"\0" * 60, "a.txt"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "a.txt"),
        (b"\xef\xbb\xbf  <svg onload=alert(1)>", "a.png"),
        (b"<?xml version='1.0'?><x/>", "a.csv"),
        (archive("a.txt"), "a.docx"),
        (archive("word/document.xml", "word/vbaProject.bin"), "a.docx"),
        (b"PK\x03\x04 broken", "a.docx"),
        (ole("Root Entry", "__nameid_version1.0"), "a.doc"),
        (b"GIF89a" + b"\0" * 20, "a.gif"),
        (b"text with a \0 in it", "a.txt"),
        (b"\x80\x81\xff\xff\xff", "a.txt"),
        ("整改".encode("utf-16"), "a.txt"),
    ],
)
def test_a_file_of_another_kind_is_refused(shelf: Evidence, tmp_path: Path, content: bytes, name: str) -> None:
    with pytest.raises(UnsupportedFile):
        shelf.put(content, name)
    assert files_in(tmp_path) == []


def test_a_file_that_nobody_recognises_is_refused_in_words(shelf: Evidence) -> None:
    with pytest.raises(UnsupportedFile) as refused:
        shelf.put(b"\x80\x81\xff\xff\xff", "a.txt")
    zh, en = refused.value.label
    assert "识别为 未知类型" in zh
    assert en.startswith("This file is of an unknown type, which is not accepted")
    assert "unknown" not in zh


def test_only_the_kinds_that_are_allowed(tmp_path: Path) -> None:
    narrow = Evidence(tmp_path, 1_000, frozenset({"pdf"}))
    narrow.put(PDF, "a.pdf")
    with pytest.raises(UnsupportedFile):
        narrow.put(PNG, "a.png")
    with pytest.raises(ValueError, match="exe"):
        Evidence(tmp_path, 1_000, frozenset({"exe"}))


class Endless(io.RawIOBase):
    """A stream that never ends, and says how much was read of it."""

    def __init__(self) -> None:
        self.told = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self.told += size
        return b"a" * size


def test_too_much_is_refused_while_it_comes(shelf: Evidence, tmp_path: Path) -> None:
    stream = Endless()
    with pytest.raises(TooLarge):
        shelf.put(stream, "a.txt")  # type: ignore[arg-type]
    assert stream.told < 3_000_000
    assert files_in(tmp_path) == []
    assert shelf.put(b"a" * 100_000, "a.txt").size == 100_000


def test_an_empty_file_is_invalid(shelf: Evidence) -> None:
    with pytest.raises(Invalid):
        shelf.put(b"", "a.txt")


def test_the_same_content_lies_there_once(shelf: Evidence, tmp_path: Path) -> None:
    first, second = shelf.put(PDF, "a.pdf"), shelf.put(io.BytesIO(PDF), "b.pdf")
    assert first.sha256 == second.sha256
    assert list(shelf.stored()) == [first.sha256]
    assert len(files_in(tmp_path)) == 1
    assert shelf.path_of(first.sha256).relative_to(tmp_path / "evidence").parts[:2] == (
        first.sha256[:2],
        first.sha256[2:4],
    )


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "\n"])
def test_only_a_digest_opens_a_file(shelf: Evidence, digest: str) -> None:
    with pytest.raises(NotFound):
        shelf.open_(digest)


def test_a_file_that_was_lost_is_the_service_s_fault(shelf: Evidence) -> None:
    with pytest.raises(Unavailable):
        shelf.open_("a" * 64)


def test_a_full_disk_is_told(shelf: Evidence, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, before[1]))
    try:
        with pytest.raises(Unavailable, match="full"):
            shelf.put(b"a" * 90_000, "a.txt")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files_in(tmp_path) == []
    assert shelf.put(b"a" * 90_000, "a.txt").size == 90_000


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    with pytest.raises(Unavailable):
        Evidence(tmp_path / "taken", 100).put(PDF, "a.pdf")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("整改报告.pdf", "整改报告.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\报告.docx", "报告.docx"),
        ("..", "file"),
        ("", "file"),
        ("/", "file"),
        (".htaccess", "htaccess"),
        ("a\r\nSet-Cookie: x.txt", "aSet-Cookie: x.txt"),
        ("report\u202efdp.exe", "reportfdp.exe"),
        ("a\x00b.txt", "ab.txt"),
        ("长" * 200 + ".pdf", "长" * 116 + ".pdf"),
    ],
)
def test_a_name_is_only_a_name(given: str, kept: str) -> None:
    assert clean_name(given) == kept


@given(st.text(max_size=300))
def test_no_name_reaches_another_folder(name: str) -> None:
    kept = clean_name(name)
    assert 0 < len(kept) <= 120
    assert Path("/x", kept).parent == Path("/x")
    assert kept not in (".", "..")
    kept.encode()


@pytest.fixture
def kept(shelf: Evidence) -> tuple[StoredFile, StoredFile]:
    return shelf.put(PDF, "甲.pdf"), shelf.put(PNG, "乙.png")


def test_attachments_belong_to_their_finding(store: Store, kept: tuple[StoredFile, StoredFile]) -> None:
    pdf, png = kept

    def attach() -> None:
        store.write(lambda tx: evidence.attach(tx, pdf, id_="1", chain="A-1", seq=3, by_id="p"))
        store.write(lambda tx: evidence.attach(tx, png, id_="2", chain="A-1", seq=5, by_id="p"))
        store.write(lambda tx: evidence.attach(tx, pdf, id_="3", chain="B-1", seq=1, by_id="q"))

    attach()
    of_a = store.read(lambda tx: evidence.of_finding(tx, "A-1"))
    assert [(one.id, one.name, one.type, one.size, one.seq) for one in of_a] == [
        ("1", "甲.pdf", "application/pdf", len(PDF), 3),
        ("2", "乙.png", "image/png", len(PNG), 5),
    ]
    assert store.read(lambda tx: evidence.ids(tx, "A-1")) == {"1", "2"}
    assert store.read(lambda tx: evidence.ids(tx, "C-1")) == frozenset()
    assert store.read(lambda tx: evidence.attachment(tx, "3")).sha256 == pdf.sha256
    with pytest.raises(LoopError):
        store.read(lambda tx: evidence.attachment(tx, "4"))
