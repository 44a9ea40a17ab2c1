"""``testamur reserve``: fresh locators for a template, with links and QR images."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer

from testamur.cli import csv_files, output
from testamur.cli.credentials import AsJson
from testamur.cli.disk import Disk
from testamur.cli.rim import rim_of
from testamur.cli.targets import MemberOption, NodeOption, TrustOption, target
from testamur.credentials import locator
from testamur.credentials.commitment import SALT_BYTES
from testamur.credentials.locator import Locator
from testamur.errors import ConfigurationError, UnwritableFileError
from testamur.merkle.hashing import hash32

COUNT_MAX: Final = 100_000
"""Most locators of one run."""

COLUMNS: Final = ("number", "locator", "link", "qr")

LINK_BASE_MAX: Final = 200
"""Longest address of a verify page: with it and a locator, an image is still easy to read."""

_PLAIN: Final = re.compile(r"[!-\"$-~]+")
"""ASCII that is seen, but `#`: Python's parser passes over line ends in a URL."""

SCALE: Final = 8
"""Pixels of a module: about 500 to a side, enough for 4 cm in print."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """One locator that no credential holds yet."""

    number: int
    """From 1, in the order of this run; it means nothing outside its list."""
    locator: str
    """Goes into the credential, before that is sealed or hashed."""
    link: str | None
    """Leads to a verify page; None where no page is known."""
    qr: Path | None
    """The image of the link; None where none is made."""


def reserve(
    context: typer.Context,
    count: Annotated[int, typer.Argument(metavar="N", min=1, max=COUNT_MAX, show_default=False)],
    *,
    trust: TrustOption = None,
    member: MemberOption = None,
    node: NodeOption = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write them into this new file.")
    ] = None,
    qr: Annotated[
        Path | None,
        typer.Option("--qr", metavar="DIR", help="Write a QR image of each into this new folder."),
    ] = None,
    svg: Annotated[bool, typer.Option("--svg", help="SVG images in place of PNG.")] = False,
    link_base: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Address of the verify page in links. Default: the node's."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Reserve locators: put one into each credential before it is sealed, then commit the files.

    Whoever has a credential with a locator can have it verified without a receipt. Each locator
    holds the secret salt of one credential: give each to one credential only, and keep the list
    as you keep the sidecars. Nothing is sent to the node; unused locators may be thrown away.
    """
    rim = rim_of(context)
    ledger_id, own = target(context, trust, member, node)
    base = _link_base(link_base or (node if trust is None else None))
    if qr is not None and base is None:
        raise ConfigurationError("--qr needs --link-base: the address of a verify page")
    if svg and qr is None:
        raise ConfigurationError("--svg goes with --qr")
    salts = [hash32(rim.random_bytes(SALT_BYTES), "salt") for _ in range(count)]
    texts = [locator.serialise(Locator(ledger_id, own, salt)) for salt in salts]
    images = _image_paths(qr, count, "svg" if svg else "png")
    reserved = [
        Reserved(number, text, None if base is None else f"{base}#{text}", image)
        for number, (text, image) in enumerate(zip(texts, images, strict=True), start=1)
    ]
    _keep(reserved, csv, qr, rim.disk)
    if csv is None:
        for one in reserved:
            _show(one, as_json=as_json)
    elif as_json:
        output.json_line({"reserved": count, "csv": str(csv), "qr": qr and str(qr)})
    output.note(
        f"{count} reserved for member {own}. One locator to one credential, before it is sealed; "
        "each holds a secret salt."
    )


def _link_base(url: str | None) -> str | None:
    """Check the address of a verify page; a locator is put behind it as its fragment."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and parts.hostname and not parts.username
    except ValueError:
        good = False
    if not good or not _PLAIN.fullmatch(url) or len(url) > LINK_BASE_MAX:
        raise ConfigurationError("the address in links is an http or https URL without a fragment")
    return url if parts.path or parts.query else f"{url}/"


def _image_paths(qr: Path | None, count: int, kind: str) -> list[Path | None]:
    digits = len(str(count))
    return [qr and qr / f"{number:0{digits}}.{kind}" for number in range(1, count + 1)]


def _keep(reserved: Sequence[Reserved], csv: Path | None, qr: Path | None, disk: Disk) -> None:
    """Write images and list, whole and durable or not at all, over nothing that is there.

    The images get their name first. A crash between leaves images whose locators nobody was
    given: delete their folder and reserve anew. A crash before leaves hidden temporary files.
    """
    for path in (csv, qr):
        if path is not None and path.exists() and not (path == qr and _is_empty_folder(path)):
            raise ConfigurationError(f"{path} is there already: locators are written over nothing")
    left: list[Path] = []
    try:
        list_file = None
        if csv is not None:
            list_file = disk.write_temporary(csv.parent, list_of(reserved, csv.parent))
            left.append(list_file)
        if qr is not None:
            folder = disk.make_temporary_directory(qr.parent)
            left.append(folder)
            _draw(reserved, folder, disk)
            disk.sync_directory(folder)
            disk.publish_directory(folder, qr)
            disk.sync_directory(qr.parent)
        if csv is not None and list_file is not None:
            disk.publish(list_file, csv)
            disk.sync_directory(csv.parent)
    except OSError as exc:
        place = exc.filename or csv or qr
        raise UnwritableFileError(f"cannot write {place}: {exc.strerror}") from exc
    finally:
        for path in left:
            disk.discard(path)


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def list_of(reserved: Sequence[Reserved], folder: Path) -> bytes:
    """Write the list; images are named from the list's folder."""
    return csv_files.encode(
        COLUMNS,
        (
            (
                str(one.number),
                one.locator,
                one.link or "",
                csv_files.file_name(os.path.relpath(one.qr, folder)) if one.qr else "",
            )
            for one in reserved
        ),
    )


def _draw(reserved: Sequence[Reserved], folder: Path, disk: Disk) -> None:
    """Draw the images into a folder that nobody reads yet."""
    import segno  # noqa: PLC0415 (not needed by other commands)

    with output.progress("QR images", len(reserved)) as step:
        for one in reserved:
            if one.qr is None or one.link is None:  # a programming mistake
                raise TypeError("an image without a link")
            # Level M mends 15 % of an image: print on paper, seen by a telephone.
            image = io.BytesIO()
            kind = one.qr.suffix.removeprefix(".")
            segno.make_qr(one.link, error="m").save(image, kind=kind, scale=SCALE)
            disk.create(folder / one.qr.name, image.getvalue())
            step()


def _show(one: Reserved, *, as_json: bool) -> None:
    if as_json:
        output.json_line(
            {
                "number": one.number,
                "locator": one.locator,
                "link": one.link,
                "qr": one.qr and str(one.qr),
            }
        )
    else:
        image = f"  {output.printable(str(one.qr))}" if one.qr else ""
        output.line(one.locator + image)
