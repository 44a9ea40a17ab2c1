"""The bundle: one file with a credential, its receipt and a note. docs/formats/bundle.md.

A zip file that any tool opens, of which there is exactly one for a given content. It is written
here and not by ``zipfile``, whose headers may change with the version of Python; a reader makes
the bundle anew from what it read and compares. So two zip readers that would disagree (on hidden,
repeated or overlapping entries, on sizes told twice) have nothing left to disagree on.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

from testamur.credentials import profiles
from testamur.errors import BundleFormatError, BundleNameError
from testamur.ledger import receipt_json

SUFFIX: Final = ".testamur.zip"
"""End of a bundle's file name, after the name of its credential."""

RECEIPT_NAME: Final = "receipt.json"
README_NAME: Final = "READ-ME.txt"

NAME_BYTES_MAX: Final = 200
"""UTF-8 bytes in the credential's name; file systems take 255, the bundle's suffix included."""

README: Final = """\
This is a bundle of Testamur. It holds three files:

  1. a credential, such as a diploma, exactly as it was issued
  2. receipt.json, the proof that it was registered
  3. READ-ME.txt, this note

If the credential is yours
  Keep this bundle, and send it whole to whoever is to check the credential. Do not edit the
  credential, convert it, or save it again from a viewer: a copy that differs in one byte cannot
  be verified. Show the receipt only to those to whom you would show the credential.

If you were sent this bundle
  Open the verify page of a member of the consortium, by an address that you know yourself and
  that is not taken from this file or from its sender, and drop the bundle there. Or run:

      testamur verify BUNDLE

  with the name of the bundle in place of BUNDLE. You are told whether exactly this credential was
  registered, by whom, when, and whether it was revoked since. That these files exist proves
  nothing: only a verification does.
"""
"""The note; its bytes are part of the format."""

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_VERSION: Final = 20  # PKZIP 2.0: what every tool reads
_MADE_BY: Final = 3 << 8 | _VERSION  # Unix, so that the mode counts
_UTF8_FLAG: Final = 0x800  # APPNOTE.TXT appendix D
_STORED: Final = 0
_TIME, _DATE = 0, 1 << 5 | 1  # 1980-01-01 00:00:00, where the format's calendar starts
_MODE: Final = 0o100644 << 16

_MEMBERS: Final = 3
_NAMES_BYTES: Final = 2 * (NAME_BYTES_MAX + len(RECEIPT_NAME) + len(README_NAME))
BYTES_MAX: Final = (
    profiles.BYTES_MAX
    + receipt_json.BYTES_MAX
    + len(README)
    + _MEMBERS * (_LOCAL.size + _CENTRAL.size)
    + _NAMES_BYTES
    + _END.size
)
"""No bundle is larger."""

# What Windows, and so some zip tool, would refuse, rename, or take for a path or a device.
_FORBIDDEN: Final = re.compile(r'[/\\:*?"<>|]')
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9]) *(?:\..*)?", re.IGNORECASE)
# Controls, halves of pairs, line ends, and signs that turn the direction of writing around, by
# which "fdp.exe" can be made to look like "exe.pdf". Not the characters that Unicode has not
# assigned: those depend on the version of Python.
_UNSHOWN_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A parsed bundle; that its files belong together is for verification to find out."""

    name: str
    """File name of the credential; chosen by whoever made the bundle, bound by nothing."""

    credential: bytes = field(repr=False)
    """The credential, every byte."""

    receipt_bytes: bytes = field(repr=False)
    """The receipt, not parsed."""


def file_name(credential_name: str) -> str:
    """Name of the bundle of a credential: ``diploma.pdf.testamur.zip``."""
    return credential_name + SUFFIX


def check_name(name: str) -> None:
    """Check that every system can store a credential under ``name``, inside a bundle or outside.

    Raises:
        BundleNameError: it cannot.
    """
    fault = None
    if not name or name.startswith(" ") or name.endswith((" ", ".")):
        fault = "is empty, starts with a space, or ends with a space or a full stop"
    elif _FORBIDDEN.search(name) or _DEVICE.fullmatch(name):
        fault = "is a path, a device, or holds a character that not every system takes"
    elif _TURNING.search(name) or _UNSHOWN_CATEGORIES & set(map(unicodedata.category, name)):
        fault = "holds characters that are not shown"
    elif len(name.encode("utf-8")) > NAME_BYTES_MAX:
        fault = f"has more than {NAME_BYTES_MAX} bytes"
    elif name.casefold() in {RECEIPT_NAME.casefold(), README_NAME.casefold()}:
        fault = "is that of another file in the bundle"
    if fault is not None:
        raise BundleNameError(f"the credential's name {name[:60]!a} {fault}")


def make_bundle(name: str, credential: bytes, receipt: bytes) -> bytes:
    """Make the one bundle of these three; the same arguments give the same bytes, anywhere.

    ``receipt`` is not parsed. The result has at most :data:`BYTES_MAX` bytes.

    Raises:
        BundleNameError: a name that not every system can store under, or that one of the other
            two files has.
        BundleFormatError: a credential above 64 MiB or a receipt above 4 MiB.
    """
    check_name(name)
    _check_sizes(len(credential), len(receipt))
    local, central, offset = [], [], 0
    for title, content in (
        (name, credential),
        (RECEIPT_NAME, receipt),
        (README_NAME, README.encode("ascii")),
    ):
        encoded = title.encode("utf-8")
        common = (
            _VERSION,
            0 if title.isascii() else _UTF8_FLAG,
            _STORED,
            _TIME,
            _DATE,
            crc32(content),
            len(content),
            len(content),
            len(encoded),
            0,  # no extra field
        )
        local += [_LOCAL.pack(b"PK\x03\x04", *common), encoded, content]
        # No comment, first and only disk, no internal attributes.
        entry = _CENTRAL.pack(b"PK\x01\x02", _MADE_BY, *common, 0, 0, 0, _MODE, offset)
        central += [entry, encoded]
        offset += _LOCAL.size + len(encoded) + len(content)
    size = sum(map(len, central))
    end = _END.pack(b"PK\x05\x06", 0, 0, _MEMBERS, _MEMBERS, size, offset, 0)
    return b"".join((*local, *central, end))


def looks_like_bundle(data: bytes) -> bool:
    """Whether a file begins as a bundle does; what follows may still make it none.

    A zip file that another tool wrote has another time or packs its first entry.
    """
    if len(data) < _LOCAL.size:
        return False
    signature, version, flags, *fixed = _LOCAL.unpack_from(data)[:6]
    return (
        signature == b"PK\x03\x04"
        and version == _VERSION
        and flags in {0, _UTF8_FLAG}
        and fixed == [_STORED, _TIME, _DATE]
    )


def parse_bundle(data: bytes, *, bytes_max: int = BYTES_MAX) -> Bundle:
    """Read a bundle from anyone; only what :func:`make_bundle` gives is one.

    Nothing is decompressed, and nothing copied before ``data``, the credential and the receipt
    are known to keep their limits.

    Raises:
        BundleFormatError: more than ``bytes_max`` bytes, or one byte different from the bundle
            that :func:`make_bundle` makes of the same three arguments.
    """
    if len(data) > bytes_max:
        raise BundleFormatError(f"{len(data)} bytes, the limit for a bundle is {bytes_max}")
    name, credential = _locate(data, 0)
    receipt_name, receipt = _locate(data, credential.stop)
    if data[receipt_name] != RECEIPT_NAME.encode("ascii"):
        raise BundleFormatError("the second file in the bundle is not receipt.json")
    try:
        title = data[name].decode("utf-8")
    except UnicodeDecodeError as exc:
        raise BundleFormatError("the credential's name in the bundle is not UTF-8") from exc
    _check_sizes(credential.stop - credential.start, receipt.stop - receipt.start)
    bundle = Bundle(name=title, credential=data[credential], receipt_bytes=data[receipt])
    try:
        made = make_bundle(title, bundle.credential, bundle.receipt_bytes)
    except BundleNameError as exc:
        # Whoever reads it did not choose the name: to rename it would only break the bundle.
        raise BundleFormatError(str(exc)) from exc
    if made != data:
        raise BundleFormatError("the zip file was not made as bundles are, or was changed")
    return bundle


def _locate(data: bytes, start: int) -> tuple[slice, slice]:
    """Where name and content of the entry at ``start`` stand, inside ``data``."""
    if len(data) - start < _LOCAL.size:
        raise BundleFormatError("the bundle ends too early")
    signature, *_, size, name_length, _ = _LOCAL.unpack_from(data, start)
    if signature != b"PK\x03\x04":
        raise BundleFormatError("this is not a zip file that holds a credential and a receipt")
    if name_length > NAME_BYTES_MAX:
        raise BundleFormatError("a name in the bundle is too long")
    name = slice(start + _LOCAL.size, start + _LOCAL.size + name_length)
    content = slice(name.stop, name.stop + size)
    if content.stop > len(data):
        raise BundleFormatError("the bundle ends too early")
    return name, content


def _check_sizes(credential: int, receipt: int) -> None:
    if credential > profiles.BYTES_MAX:
        raise BundleFormatError(f"the credential has more than {profiles.BYTES_MAX} bytes")
    if receipt > receipt_json.BYTES_MAX:
        raise BundleFormatError(f"the receipt has more than {receipt_json.BYTES_MAX} bytes")
