"""Receipts from a node made into what a holder gets: checked, completed, and put into bundles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testamur.cli.disk import Disk
from testamur.cli.sidecars import check_unchanged
from testamur.credentials.sidecar import Sidecar
from testamur.errors import (
    BundleFormatError,
    ConfigurationError,
    NodeProtocolError,
    ReceiptFormatError,
    UnreadableFileError,
    UnwritableFileError,
)
from testamur.ledger import bundle
from testamur.ledger.receipt import Commitment, Receipt
from testamur.ledger.receipt_json import parse_receipt, receipt_to_json, serialise_receipt
from testamur.ledger.report import Outcome
from testamur.ledger.trust import TrustFile
from testamur.ledger.verification import verify
from testamur.ledger.view import Presented

_NO_CLOCK: Final = 0
"""Offline nothing is old or fresh."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A receipt with its commitment, and its credential."""

    receipt: Receipt
    """As the holder gets it."""
    content: bytes
    """The bundle."""


def check_fits(got: Receipt, made: Sidecar) -> None:
    """Check what a node gave against the sidecar, before a holder relies on it.

    Raises:
        NodeProtocolError: it is the receipt of another entry, ledger or member.
    """
    if got.commitment is not None or got.entry != made.entry:
        raise NodeProtocolError("the node gave the receipt of another entry")
    if (got.ledger.ledger_id, got.record.record.member) != (made.ledger_id, made.member):
        raise NodeProtocolError("the node gave a receipt of another ledger or member")


def complete(name: str, data: bytes, got: Receipt, made: Sidecar, *, trust: TrustFile) -> Completed:
    """Make the bundle of a credential from what a node gave; the node is not believed.

    Everything that the receipt carries is checked offline, so that no student is given one that
    does not hold. ``trust`` is the node's own view: that the ledger is the right one is for those
    who verify.

    Raises:
        NodeProtocolError: the receipt is of another entry, or does not hold.
        CredentialChangedError: ``data`` is not what was committed.
        BundleNameError, BundleFormatError: no bundle can hold a file of this name, or size.
    """
    check_fits(got, made)
    check_unchanged(data, made)
    receipt = got.with_commitment(made.profile, made.salt)
    report = verify(
        receipt=receipt_to_json(receipt),
        presented=Presented(made.profile, made.digest),
        trust=trust,
        view=None,
        now=_NO_CLOCK,
    )
    if report.outcome is Outcome.REJECT:
        raise NodeProtocolError(f"the node gave a receipt that does not hold: {report.summary}")
    return Completed(receipt, bundle.make_bundle(name, data, serialise_receipt(receipt)))


def existing(path: Path, data: bytes, made: Sidecar, disk: Disk) -> Receipt | None:
    """Give the receipt in the bundle ``path`` of this credential; None where no such file is.

    Raises:
        ConfigurationError: something else has that name.
        UnreadableFileError: it cannot be read.
    """
    try:
        content = disk.read(path, bundle.BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise UnreadableFileError(f"{path.name} cannot be read: {exc.strerror}") from exc
    try:
        found = bundle.parse_bundle(content)
        receipt = parse_receipt(found.receipt_bytes)
    except (BundleFormatError, ReceiptFormatError) as exc:
        raise _another(path) from exc
    commitment = Commitment(profile=made.profile, salt=made.salt)
    if (found.credential, receipt.entry, receipt.commitment) != (data, made.entry, commitment):
        raise _another(path)
    return receipt


def publish(path: Path, content: bytes, disk: Disk) -> None:
    """Write a bundle under its name, over nothing; its name is durable once its folder is synced.

    A crash leaves a hidden temporary file, or the bundle whole: the same command goes on.

    Raises:
        ConfigurationError: something got that name meanwhile.
        UnwritableFileError: whether it was kept is unknown.
    """
    try:
        disk.publish(disk.write_temporary(path.parent, content), path)
    except FileExistsError as exc:
        raise _another(path) from exc
    except OSError as exc:
        raise UnwritableFileError(f"cannot write {path.name}: {exc.strerror}") from exc


def settle(path: Path, disk: Disk) -> None:
    """Make the name of a bundle durable, or those of all bundles in its folder.

    Raises:
        UnwritableFileError: they may be lost in a crash; the same command goes on.
    """
    try:
        disk.sync_directory(path.parent)
    except OSError as exc:
        raise UnwritableFileError(f"cannot make {path.name} durable: {exc.strerror}") from exc


def _another(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{path.name} is there already, and is no bundle of this credential: move it away"
    )
