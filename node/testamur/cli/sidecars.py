"""Commit files: find or write the sidecar of each, durable before any entry is shown.

Files are taken in groups, because the disk makes many writes durable at once almost as fast as
one. For each group the order is: temporary files, names, directories; only then is any outcome
of the group handed out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

from testamur.cli.disk import Disk
from testamur.cli.files import read_credential
from testamur.credentials import commitment, locator, profiles, sidecar
from testamur.credentials.sidecar import Sidecar
from testamur.errors import (
    CredentialChangedError,
    CredentialError,
    ProfileConflictError,
    ReusedLocatorError,
    SidecarFormatError,
    SidecarStorageError,
    TestamurError,
)
from testamur.merkle.hashing import Hash32

GROUP_FILES: Final = 256
_WRITERS: Final = 8


@dataclass(frozen=True, slots=True)
class Committed:
    """One file whose sidecar is durable."""

    sidecar: Sidecar
    """Its content."""

    sidecar_path: Path
    """Its place, beside the credential."""

    reused: bool
    """Whether it existed before this run."""


Outcome: TypeAlias = Committed | TestamurError
"""What became of one file."""


def read_sidecar(
    path: Path, data: bytes, *, ledger_id: Hash32, member: int, disk: Disk
) -> Sidecar | None:
    """Read the sidecar of the file ``path``, whose content is ``data``; None without one.

    Raises:
        SidecarFormatError, SidecarStorageError: it is damaged, or cannot be read.
        CredentialChangedError: the file is not the one that was committed.
    """
    name = sidecar.file_name(path.name, ledger_id=ledger_id, member=member)
    try:
        content = disk.read(path.with_name(name), sidecar.BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise SidecarStorageError(f"cannot read {name}: {exc.strerror}") from exc
    found = sidecar.parse(content)
    if (found.ledger_id, found.member) != (ledger_id, member):
        raise SidecarFormatError(f"{name} is of another ledger or member")
    check_unchanged(data, found)
    return found


def check_unchanged(data: bytes, made: Sidecar) -> None:
    """Check that ``data`` is what was committed.

    Raises:
        CredentialChangedError: it is not.
    """
    try:
        unchanged = profiles.digest(data, made.profile) == made.digest
    except CredentialError as exc:
        raise CredentialChangedError(f"it no longer parses as {made.profile}: {exc}") from exc
    if not unchanged:
        raise CredentialChangedError("it is not the file that was committed")


class Committer:
    """Commits files for one member of one ledger."""

    def __init__(
        self,
        *,
        ledger_id: Hash32,
        member: int,
        profile: str | None,
        random_bytes: Callable[[int], bytes],
        disk: Disk,
    ) -> None:
        """Commit under ``profile``, or under the detected one where it is None."""
        commitment.check_member(member)
        self._ledger_id = ledger_id
        self._member = member
        self._profile = profile
        self._random_bytes = random_bytes
        self._disk = disk
        self._salts: dict[Hash32, tuple[Hash32, str]] = {}  # with entry and name of the first file

    def commit(self, files: Iterable[Path]) -> Iterator[tuple[Path, Outcome]]:
        """Yield every file once, in order, with its durable sidecar or what went wrong.

        A file that fails does not stop the others. Repeating the call reuses what exists; two
        processes that commit the same file at once end with the same sidecar.
        """
        pending = iter(files)
        with ThreadPoolExecutor(_WRITERS, thread_name_prefix="sidecar") as writers:
            while group := list(islice(pending, GROUP_FILES)):
                yield from zip(group, self._commit_group(group, writers), strict=True)

    def _commit_group(self, group: Sequence[Path], writers: Executor) -> list[Outcome]:
        prepared = [self._check_salt(path, self._prepare(path)) for path in group]
        outcomes = list(writers.map(self._store, prepared))
        for number, outcome in enumerate(outcomes):
            if outcome is None:
                outcomes[number] = self._take_existing(group[number])
        # Existing sidecars wait for their directory too: a run that crashed before this point
        # left names which are visible but not yet durable.
        good = [outcome for outcome in outcomes if isinstance(outcome, Committed)]
        directories = sorted({outcome.sidecar_path.parent for outcome in good})
        lost = dict(zip(directories, writers.map(self._sync, directories), strict=True))
        return [
            (lost[outcome.sidecar_path.parent] or outcome)
            if isinstance(outcome, Committed)
            else outcome
            for outcome in outcomes
            if outcome is not None
        ]

    def _prepare(self, path: Path) -> Outcome:
        """Read the file and find its sidecar, or make one that is not written yet."""
        try:
            data = read_credential(path)
            existing = self._existing(path, data)
            if existing is not None:
                return existing
            profile, salt = locator.choose(
                data, profile=self._profile, ledger_id=self._ledger_id, member=self._member
            )
            made = sidecar.make(
                ledger_id=self._ledger_id,
                member=self._member,
                profile=profile,
                salt=salt or self._random_bytes(commitment.SALT_BYTES),
                digest=profiles.digest(data, profile),
            )
        except TestamurError as exc:
            return exc
        return Committed(made, self._sidecar_path(path), reused=False)

    def _check_salt(self, path: Path, outcome: Outcome) -> Outcome:
        """Refuse a salt that another credential of this run has: a locator that was copied."""
        if not isinstance(outcome, Committed):
            return outcome
        made = outcome.sidecar
        first, name = self._salts.setdefault(made.salt, (made.entry, path.name))
        if first == made.entry:
            return outcome
        return ReusedLocatorError(f"it holds the locator of {name!a}, which is another credential")

    def _existing(self, path: Path, data: bytes) -> Committed | None:
        """Take the sidecar that stands beside ``path``, if any; it must fit the file."""
        found = read_sidecar(
            path, data, ledger_id=self._ledger_id, member=self._member, disk=self._disk
        )
        if found is None:
            return None
        if self._profile not in {None, found.profile}:
            raise ProfileConflictError(f"it was committed under {found.profile}")
        return Committed(found, self._sidecar_path(path), reused=True)

    def _store(self, outcome: Outcome) -> Outcome | None:
        """Write what is new; None when another one got the name first. Runs in a thread."""
        if not isinstance(outcome, Committed) or outcome.reused:
            return outcome
        target = outcome.sidecar_path
        try:
            temporary = self._disk.write_temporary(
                target.parent, sidecar.serialise(outcome.sidecar)
            )
            self._disk.publish(temporary, target)
        except FileExistsError:
            return None
        except OSError as exc:
            return SidecarStorageError(f"cannot write {target.name}: {exc.strerror}")
        return outcome

    def _take_existing(self, path: Path) -> Outcome:
        outcome = self._prepare(path)
        if isinstance(outcome, Committed) and not outcome.reused:
            return SidecarStorageError("another process writes and removes the sidecar")
        return outcome

    def _sync(self, directory: Path) -> SidecarStorageError | None:
        try:
            self._disk.sync_directory(directory)
        except OSError as exc:
            return SidecarStorageError(f"cannot make the sidecar durable: {exc.strerror}")
        return None

    def _sidecar_path(self, path: Path) -> Path:
        name = sidecar.file_name(path.name, ledger_id=self._ledger_id, member=self._member)
        return path.with_name(name)
