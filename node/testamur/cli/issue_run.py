"""Issue credentials: commit, submit, wait, collect; each step takes up what is done already.

What is done stands in three places that each are right alone: a sidecar (committed), the node
(submitted), a bundle (collected). So a run that was stopped anywhere is simply repeated.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Final

from testamur.cli import bulk_client, bundles, output
from testamur.cli.bulk_client import ASKED_AT_ONCE, ReceiptLine
from testamur.cli.disk import Disk
from testamur.cli.files import read_credential
from testamur.cli.issued import Issue, IssuedFile
from testamur.cli.node_client import NodeClient
from testamur.cli.patience import Patience
from testamur.cli.sidecars import Committed, Committer
from testamur.errors import (
    NodeProtocolError,
    ReceiptFormatError,
    TestamurError,
    UnknownEntryError,
)
from testamur.ledger.receipt import Receipt
from testamur.ledger.receipt_json import receipt_from_json
from testamur.ledger.trust import TrustFile
from testamur.merkle.hashing import Hash32

PAUSE_SECONDS_LEAST: Final = 0.25
PAUSE_SECONDS_MOST: Final = 5.0
_PAUSE_GROWTH: Final = 1.5
_WRITERS: Final = 8


class IssueRun:
    """One run over a list of credentials."""

    def __init__(
        self,
        client: NodeClient,
        issues: Sequence[Issue],
        issued: IssuedFile,
        *,
        trust: TrustFile,
        disk: Disk,
        patience: Patience,
    ) -> None:
        """Issue over the node of ``client``, whose view is ``trust``."""
        self._client = client
        self._issues = issues
        self._issued = issued
        self._trust = trust
        self._disk = disk
        self._patience = patience

    def commit(self, committer: Committer) -> list[Issue]:
        """Commit all, and find the bundles that are there; give those that need to be submitted.

        Raises:
            UnwritableFileError: issued.csv cannot be written.
            NodeUnavailableError, NodeProtocolError: the node did not say what it has already.
        """
        good = [one for one in self._issues if one.item.fault is None]
        for one in self._issues:
            one.error = one.item.fault
        fresh: list[Issue] = []
        with output.progress("committing", len(good)) as step:
            outcomes = committer.commit(one.item.path for one in good)
            for one, (_, outcome) in zip(good, outcomes, strict=True):
                if isinstance(outcome, Committed):
                    one.sidecar, one.state = outcome.sidecar, "committed"
                    self._find_bundle(one)
                    if not outcome.reused:
                        fresh.append(one)
                else:
                    one.error = outcome
                step()
        self._settle_found()
        self._issued.write()
        new = {id(one) for one in fresh}
        older = [one for one in self._issues if one.waits and id(one) not in new]
        unknown = self._look_up(older, step=lambda _count=1: None)
        return [*(one for one in fresh if one.waits), *unknown]

    def submit(self, issues: Sequence[Issue]) -> None:
        """Submit entries; the node has them durably on return.

        Raises:
            NodeUnavailableError, NodeProtocolError: some may not have been taken: run again.
            TooManyEntriesError: the node takes none at all.
            UnwritableFileError: issued.csv cannot be written.
        """
        entries, done = [one.entry for one in issues], 0
        with output.progress("submitting", len(issues)) as step:
            for count, _ in bulk_client.submit(self._client, entries, self._patience):
                for one in issues[done : done + count]:
                    one.state = "queued"
                done += count
                self._issued.write()
                step(count)

    def seal_now(self) -> None:
        """Have what waits sealed at once, where something of ours may wait.

        Raises:
            NotSealingError: the node has no anchor key.
            NodeUnavailableError, NodeProtocolError: the node cannot be asked.
        """
        if any(one.waits and one.batch is None for one in self._issues):
            self._patience.repeat(partial(bulk_client.seal_now, self._client))

    def collect(self, deadline: float) -> None:
        """Wait until all are final, or until ``deadline`` (monotonic seconds), and make bundles.

        Asked is for one entry that is queued and for each batch, not for each entry.

        Raises:
            NodeUnavailableError, NodeProtocolError: the node does not answer, or not rightly.
            UnwritableFileError: issued.csv cannot be written.
        """
        waiting = [one for one in self._issues if one.waits]
        with output.progress("until final", len(waiting)) as step:
            self._collect(waiting, step=step)
            pause = PAUSE_SECONDS_LEAST
            while (
                waiting := [one for one in waiting if one.waits]
            ) and time.monotonic() < deadline:
                time.sleep(max(0.0, min(pause, deadline - time.monotonic())))
                moved = self._moved(waiting)
                self._collect(moved, step=step)
                pause = PAUSE_SECONDS_LEAST if moved else pause * _PAUSE_GROWTH
                pause = min(pause, PAUSE_SECONDS_MOST)

    def _collect(self, issues: Sequence[Issue], *, step: Callable[..., None]) -> None:
        for one in self._look_up(issues, step=step):
            one.error = UnknownEntryError("the node lost it: run again, and it is submitted anew")
            step()

    def _moved(self, waiting: Sequence[Issue]) -> list[Issue]:
        """Give those whose state is another one by now, as far as one question tells."""
        moved = []
        queued = [one for one in waiting if one.batch is None]
        if queued:
            ask = partial(self._client.state, queued[0].entry)
            if self._patience.repeat(ask) != "queued":
                moved += queued
        batched = sorted((one for one in waiting if one.batch is not None), key=_batch_of)
        for root, group in groupby(batched, key=_batch_of):
            members = list(group)
            ask = partial(bulk_client.batch_state, self._client, Hash32(root))
            if self._patience.repeat(ask) != members[0].state:
                moved += members
        return moved

    def _ask(self, entries: Sequence[Hash32]) -> list[ReceiptLine]:
        return self._patience.repeat(lambda: list(bulk_client.receipts(self._client, entries)))

    def _look_up(self, issues: Sequence[Issue], *, step: Callable[..., None]) -> list[Issue]:
        """Ask where ``issues`` stand, and make the bundles of those that are final.

        Gives those that the node does not know.
        """
        unknown: list[Issue] = []
        with ThreadPoolExecutor(_WRITERS, thread_name_prefix="bundle") as writers:
            for start in range(0, len(issues), ASKED_AT_ONCE):
                chunk = issues[start : start + ASKED_AT_ONCE]
                lines = self._ask([one.entry for one in chunk])
                final = []
                for one, line in zip(chunk, lines, strict=True):
                    if line.state is None:
                        unknown.append(one)
                    else:
                        one.state, one.batch = line.state, line.batch
                        if line.state == "final":
                            final.append((one, line))
                self._make_bundles(final, writers)
                step(sum(not one.waits for one in chunk))
        if issues:
            self._issued.write()
        return unknown

    def _make_bundles(self, final: Sequence[tuple[Issue, ReceiptLine]], writers: Executor) -> None:
        """Make bundles, durable before any is called done; one that fails stops no other."""
        made = list(writers.map(lambda pair: self._make_bundle(*pair), final))
        settled: dict[Path, TestamurError | None] = {}
        for (one, _), got in zip(final, made, strict=True):
            if isinstance(got, TestamurError):
                one.error = got
                continue
            folder = one.item.bundle.parent
            if folder not in settled:
                settled[folder] = self._settle(one.item.bundle)
            one.error = settled[folder]
            if one.error is None:
                one.note_bundle(got)

    def _make_bundle(self, one: Issue, line: ReceiptLine) -> Receipt | TestamurError:
        """Check a receipt and publish its bundle. Runs in a thread."""
        made, place = one.sidecar, one.item.bundle
        if made is None:  # a programming mistake
            raise TypeError("not committed yet")
        try:
            if line.receipt is None:
                raise NodeProtocolError(f"the node gives no receipt: {line.code or 'no reason'}")
            got = receipt_from_json(line.receipt)
            data = read_credential(one.item.path)
            done = bundles.complete(one.item.path.name, data, got, made, trust=self._trust)
            bundles.publish(place, done.content, self._disk)
        except ReceiptFormatError as exc:
            return NodeProtocolError(f"the node gave no receipt: {exc}")
        except TestamurError as exc:
            return exc
        return done.receipt

    def _find_bundle(self, one: Issue) -> None:
        """Take the bundle that an earlier run made."""
        made = one.sidecar
        if made is None:  # a programming mistake
            raise TypeError("not committed yet")
        if not os.path.lexists(one.item.bundle):
            return  # most files of a first run: they need not be read a second time
        try:
            data = read_credential(one.item.path)
            receipt = bundles.existing(one.item.bundle, data, made, self._disk)
        except TestamurError as exc:
            one.error = exc
            return
        if receipt is not None:
            one.note_bundle(receipt)

    def _settle_found(self) -> None:
        """Make the names of bundles durable that a run left which ended before it did so."""
        found = {one.item.bundle.parent: one for one in self._issues if one.is_done}
        for one in found.values():
            bundles.settle(one.item.bundle, self._disk)

    def _settle(self, bundle: Path) -> TestamurError | None:
        try:
            bundles.settle(bundle, self._disk)
        except TestamurError as exc:
            return exc
        return None


def _batch_of(one: Issue) -> bytes:
    return one.batch or b""
