"""A bundle opens in any zip tool, and is the only one of its content."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.credentials import profiles
from testamur.errors import BundleFormatError, BundleNameError
from testamur.ledger import bundle, receipt_json
from testamur.ledger.bundle import Bundle, make_bundle, parse_bundle
from testamur.ledger.receipt_json import parse_receipt, serialise_receipt
from tests.ledger.conftest import Registered
from tests.support.optional import require

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "formats" / "bundle.md").read_text("utf-8")
NAME, CREDENTIAL, RECEIPT = "diploma-ü.pdf", b"%PDF-1.4 a credential\n", b'{"a": "receipt"}\n'
NOTE = bundle.README.encode("ascii")
GOOD = make_bundle(NAME, CREDENTIAL, RECEIPT)


def acceptable(name: str) -> bool:
    try:
        make_bundle(name, b"", b"")
    except BundleNameError:
        return False
    return True


NAMES = st.text(min_size=1, max_size=40).filter(acceptable)


def zipped(
    *entries: tuple[str, bytes], method: int = zipfile.ZIP_STORED, comment: bytes = b""
) -> bytes:
    """Write with the standard library what a bundle would be, unless told otherwise."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.create_version, info.extract_version = 3, 20, 20
            info.external_attr, info.compress_type = 0o100644 << 16, method
            archive.writestr(info, content)
        archive.comment = comment
    return file.getvalue()


THREE = ((NAME, CREDENTIAL), ("receipt.json", RECEIPT), ("READ-ME.txt", NOTE))


@given(NAMES, st.binary(), st.binary())
def test_a_bundle_is_read_back_as_made(name: str, credential: bytes, receipt: bytes) -> None:
    made = make_bundle(name, credential, receipt)
    assert parse_bundle(made) == Bundle(name, credential, receipt)
    assert parse_bundle(made, bytes_max=len(made)).name == name


@given(NAMES, st.binary(), st.binary())
def test_it_is_what_the_standard_library_writes(
    name: str, credential: bytes, receipt: bytes
) -> None:
    entries = ((name, credential), ("receipt.json", receipt), ("READ-ME.txt", NOTE))
    assert make_bundle(name, credential, receipt) == zipped(*entries)


def test_the_standard_library_opens_it() -> None:
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        assert archive.testzip() is None
        assert [(one.filename, archive.read(one)) for one in archive.infolist()] == list(THREE)
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_unzip_opens_it(tmp_path: Path) -> None:
    require(shutil.which("unzip") is not None, "the command unzip")
    path = tmp_path / "diploma.pdf.testamur.zip"
    path.write_bytes(make_bundle("diploma.pdf", CREDENTIAL, RECEIPT))
    tested = subprocess.run(["unzip", "-t", path], capture_output=True, text=True, check=True)
    assert "No errors detected" in tested.stdout
    shown = subprocess.run(["unzip", "-p", path, "diploma.pdf"], capture_output=True, check=True)
    assert shown.stdout == CREDENTIAL


def test_a_receipt_passes_through_unchanged(registered: Registered) -> None:
    written = serialise_receipt(registered.receipt)
    found = parse_bundle(make_bundle("credential.json", b"the credential", written))
    assert parse_receipt(found.receipt_bytes) == registered.receipt


def test_every_altered_byte_is_noticed() -> None:
    for position in range(len(GOOD)):
        broken = bytearray(GOOD)
        broken[position] ^= 1
        with pytest.raises(BundleFormatError):
            parse_bundle(bytes(broken))


def test_every_truncation_and_every_addition_is_noticed() -> None:
    for length in range(len(GOOD)):
        with pytest.raises(BundleFormatError):
            parse_bundle(GOOD[:length])
    for broken in (GOOD + b"\x00", b"\x00" + GOOD, GOOD + GOOD, GOOD[:-22] + b"x" + GOOD[-22:]):
        with pytest.raises(BundleFormatError):
            parse_bundle(broken)


@given(st.binary() | st.binary().map(b"PK\x03\x04".__add__), st.integers(0, len(GOOD)))
def test_any_bytes_are_refused_as_our_error(data: bytes, kept: int) -> None:
    for broken in (data, GOOD[:kept] + data):
        if broken != GOOD:
            with pytest.raises(BundleFormatError):
                parse_bundle(broken)


def encrypted() -> bytes:
    broken = bytearray(GOOD)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        broken[broken.index(signature) + offset] |= 1
    return bytes(broken)


def test_the_zip_that_the_tricks_start_from_is_a_bundle() -> None:
    assert zipped(*THREE) == GOOD


@pytest.mark.parametrize(
    "trick",
    [
        zipped(*THREE, method=zipfile.ZIP_DEFLATED),
        zipped(*THREE, method=zipfile.ZIP_BZIP2),
        zipped(*THREE, comment=b"a comment"),
        zipped(*THREE, ("more.txt", b"")),
        zipped(*THREE[:2]),
        zipped(*THREE[:1]),
        zipped(),
        zipped(THREE[1], THREE[0], THREE[2]),
        zipped(THREE[0], THREE[2], THREE[1]),
        zipped(THREE[0], THREE[1], ("READ-ME.txt", NOTE + b" ")),
        zipped(THREE[0], ("RECEIPT.JSON", RECEIPT), THREE[2]),
        zipped(("Receipt.json", RECEIPT), THREE[1], THREE[2]),
        zipped(("../diploma.pdf", CREDENTIAL), *THREE[1:]),
        zipped(("/etc/passwd", CREDENTIAL), *THREE[1:]),
        zipped(("folder/", b""), *THREE[1:]),
        encrypted(),
    ],
)
def test_another_zip_is_no_bundle(trick: bytes) -> None:
    with pytest.raises(BundleFormatError):
        parse_bundle(trick)


def test_an_entry_that_only_one_reader_sees_is_refused() -> None:
    """The directory at the end names another credential than the headers at the front."""
    other = make_bundle(NAME, CREDENTIAL.replace(b"a cred", b"b cred"), RECEIPT)
    start = GOOD.index(b"PK\x01\x02")
    with pytest.raises(BundleFormatError):
        parse_bundle(GOOD[:start] + other[start:])
    central, end = GOOD[start:-22], GOOD[-22:]
    hidden = bytearray(end)
    hidden[16:20] = (start + len(other)).to_bytes(4, "little")
    with pytest.raises(BundleFormatError):
        parse_bundle(GOOD[:start] + other + central + bytes(hidden))


def test_a_name_in_another_encoding_is_refused() -> None:
    broken = GOOD.replace("ü".encode(), b"\xfc\xfc")
    with pytest.raises(BundleFormatError, match="UTF-8"):
        parse_bundle(broken)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../a",
        "/a",
        "a/b",
        "a\\b",
        "C:a",
        "a\x00b",
        "a\nb",
        "a\x7f",
        "a.",
        "a ",
        " a",
        "a?",
        "NUL",
        "com1.pdf",
        "Con .txt",
        "receipt.json",
        "Receipt.JSON",
        "read-me.TXT",
        "\u202efdp.exe",
        "a\u2028b",
        "a\ud800",
        "a" * 201,
        "ü" * 101,
    ],
)
def test_a_name_that_some_system_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(BundleNameError) as caught:
        make_bundle(name, CREDENTIAL, RECEIPT)
    assert "Rename the file" in caught.value.advice


@pytest.mark.parametrize("name", ["CON.pdf", 'quote".pdf', " a", "a\x01", "\u202efdp.exe"])
def test_such_a_name_in_a_bundle_is_the_fault_of_the_bundle(name: str) -> None:
    """Whoever was sent it cannot rename anything, and the browser gives the same code."""
    with pytest.raises(BundleFormatError, match="credential's name") as caught:
        parse_bundle(zipped((name, CREDENTIAL), *THREE[1:]))
    assert type(caught.value) is BundleFormatError
    assert "Ask the holder" in caught.value.advice


@pytest.mark.parametrize(
    "name", ["a", ".hidden", "Δίπλωμα 2026 (1).pdf", "نام\u200cی.pdf", "ü" * 100]
)
def test_a_name_of_any_language_is_taken(name: str) -> None:
    assert parse_bundle(make_bundle(name, CREDENTIAL, RECEIPT)).name == name
    assert bundle.file_name(name) == f"{name}.testamur.zip"


def test_sizes_are_bounded() -> None:
    with pytest.raises(BundleFormatError, match="limit"):
        parse_bundle(GOOD, bytes_max=len(GOOD) - 1)
    with pytest.raises(BundleFormatError, match="receipt has more") as caught:
        make_bundle(NAME, CREDENTIAL, bytes(receipt_json.BYTES_MAX + 1))
    assert not isinstance(caught.value, BundleNameError)
    with pytest.raises(BundleFormatError, match="credential has more"):
        make_bundle(NAME, bytes(profiles.BYTES_MAX + 1), RECEIPT)
    fullest = make_bundle("n" * bundle.NAME_BYTES_MAX, b"", b"")
    assert len(fullest) + profiles.BYTES_MAX + receipt_json.BYTES_MAX == bundle.BYTES_MAX


def test_contents_do_not_appear_in_logs() -> None:
    assert "credential\\n" not in repr(parse_bundle(GOOD))


def test_the_example_on_the_page_holds() -> None:
    (block,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    example = json.loads(block)
    three = example["name"], example["credential"].encode(), example["receipt"].encode()
    made = make_bundle(*three)
    assert parse_bundle(made) == Bundle(*three)
    assert (len(made), sha256(made).hexdigest()) == (example["bytes"], example["sha256"])
    assert made.hex().startswith(example["first_header"])
    assert example["first_central_header"] in made.hex()
    assert made.hex().endswith(example["end"])


def test_the_note_on_the_page_is_the_one_in_the_bundle() -> None:
    (block,) = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert block == bundle.README
    assert f"| {len(NOTE)} bytes |" in PAGE
    assert f"1 to {bundle.NAME_BYTES_MAX} bytes" in PAGE
    assert f"[`{BundleFormatError.code}`]" in PAGE
    assert f"[`{BundleNameError.code}`]" in PAGE
