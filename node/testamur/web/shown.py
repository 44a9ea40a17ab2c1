"""From a report to what a page shows of it. No decision is made here: the report made them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from testamur.ledger.report import (
    DOES_NOT_PROVE,
    OUTCOMES,
    Check,
    Outcome,
    Report,
    Status,
    Verdict,
    minute,
)
from testamur.ledger.trust import Network
from testamur.ledger.verdict import WARNINGS
from testamur.web import wording
from testamur.web.wording import Tone, Words


@dataclass(frozen=True, slots=True)
class Time:
    """A moment; the browser adds the time of day where the reader is."""

    seconds: int
    """Unix seconds."""
    note: str = ""
    """What stands after it."""

    @property
    def text(self) -> str:
        """Write it for people, in UTC."""
        return minute(self.seconds)


@dataclass(frozen=True, slots=True)
class ShownCheck:
    """One check, for a list."""

    title: str
    """What was asked."""
    word: str
    """What was found, in a word."""
    tone: Tone
    """How it looks."""
    icon: str
    """Its picture."""
    detail: str
    """The report's sentence; it may quote the credential."""
    code: str
    """The report's code."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One result, whole; the templates only lay it out."""

    words: Words
    """Heading, look and icon."""
    summary: str
    """The sentence that stands first."""
    steps: tuple[str, ...]
    """What to do now."""
    network: str | None
    """What is said of a network that is not a main one."""
    does_not_prove: str | None = None
    """What no verdict says; None where there is no verdict."""
    facts: tuple[tuple[str, str | Time], ...] = ()
    """Who, when, and by what this was found."""
    checks: tuple[ShownCheck, ...] = ()
    """The steps in order."""
    code: str | None = None
    """Code of an error in a verdict's place."""
    raw: str | None = None
    """The report as JSON, for the details."""

    @property
    def may_change_soon(self) -> bool:
        """Whether asking again in a moment makes sense."""
        return self.words in _RETRIED

    @property
    def download(self) -> str | None:
        """Give the report as the address of a file that needs no request."""
        return None if self.raw is None else "data:application/json," + quote(self.raw)


_RETRIED: Final = tuple(
    wording.VERDICTS[verdict] for verdict, outcome in OUTCOMES.items() if outcome is Outcome.RETRY
)


def shown_report(report: Report, *, node: str, now: int) -> Shown:
    """Lay out a report that ``node`` made at ``now``, Unix seconds."""
    words = wording.VERDICTS[report.verdict]
    return Shown(
        words=words,
        summary=report.summary,
        steps=_steps(report, words),
        network=network_label(report.network),
        does_not_prove=DOES_NOT_PROVE,
        facts=_facts(report, node, now),
        checks=tuple(_check(check) for check in report.checks),
        raw=json.dumps(report.to_json(), indent=2, ensure_ascii=False),
    )


def shown_problem(code: str, detail: str, *, retry: bool, network: Network) -> Shown:
    """Lay out an error that took the place of a report.

    ``retry``: the fault lies with the node, not with what it was given.
    """
    words = wording.COULD_NOT_ASK if retry else wording.COULD_NOT_READ
    advice = wording.ADVICE.get(code, wording.ADVICE["credential_error"])
    return Shown(
        words=words,
        summary=wording.NO_ANSWER if retry else f"{detail[:1].upper()}{detail[1:]}.",
        steps=words.steps if retry else (advice,),
        network=network_label(network),
        code=code,
    )


def shown_refusal(network: Network) -> Shown:
    """Lay out what a verifying browser refuses by itself as a node would; its texts are slots."""
    unread = shown_problem("credential_error", "", retry=False, network=network)
    return replace(unread, words=wording.VERDICTS[Verdict.INVALID])


def network_label(network: Network) -> str | None:
    """Say what a network that is not a main one is worth."""
    return wording.NETWORKS.get(network.kind)


def _steps(report: Report, words: Words) -> tuple[str, ...]:
    wanted = _DECIDED_BY.get(report.verdict)
    told = [
        step
        for check in report.checks
        if check.status is wanted
        for step in wording.STEPS_BY_CODE.get(check.code, ())
    ]
    return tuple(dict.fromkeys(told)) or words.steps


_DECIDED_BY: Final = {
    Verdict.INVALID: Status.INVALID,
    Verdict.VERIFIED_WITH_WARNINGS: Status.UNKNOWN,
    Verdict.COULD_NOT_CHECK: Status.UNKNOWN,
}


def _facts(report: Report, node: str, now: int) -> tuple[tuple[str, str | Time], ...]:
    at, as_of, network = report.registered_at, report.as_of, report.network
    facts: list[tuple[str, str | Time | None]] = [
        ("Registered on", None if at is None else Time(at)),
        ("Status as of", None if as_of is None else Time(as_of.time, f", block {as_of.block}")),
        ("Based on", wording.CARRIERS.get(report.carried_by or "", report.carried_by)),
        ("Network", f"{network.name} ({network.kind.value})"),
        ("Checked by", f"the node of {node}"),
        ("Checked on", Time(now)),
    ]
    return tuple((name, value) for name, value in facts if value is not None)


def _check(check: Check) -> ShownCheck:
    word, tone, icon = wording.STATUSES[check.status]
    if check.status is Status.UNKNOWN:
        word, tone, icon = wording.BY_CODE.get(check.code, (word, tone, icon))
        if check.code in WARNINGS:
            word, tone, icon = wording.WARNING
    return ShownCheck(
        title=wording.CHECKS.get(check.name, check.name),
        word=word,
        tone=tone,
        icon=icon,
        detail=check.detail,
        code=check.code,
    )
