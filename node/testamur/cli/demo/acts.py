"""The demo's four acts, by those who live them. Every claim in them is checked.

What several universities or employers do is done at once, as it would be, and told in turn.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from rich.markup import escape
from rich.table import Table

from testamur.cli.demo import by_hand
from testamur.cli.demo.consortium import Consortium, Member
from testamur.cli.demo.processes import Finished
from testamur.cli.demo.story import Story
from testamur.cli.registered import receipt_path
from testamur.credentials import claims, profiles
from testamur.credentials.strict_json import parse
from testamur.errors import DemoError

WAIT_FINAL_SECONDS = "60"


@dataclass(frozen=True, slots=True)
class Issued:
    """One credential of the demo, and who registers it."""

    path: Path
    """Its copy in the demo's directory."""
    member: Member
    """The university that registers it."""


Issues = dict[Member, list[Issued]]
"""The credentials of each university."""


def hand_out(examples: Path, consortium: Consortium) -> Issues:
    """Copy the sample credentials to the universities that issue them.

    Raises:
        DemoError: there are none.
    """
    issued: Issues = {}
    samples = sorted(path for path in examples.glob("*") if path.is_file())
    if not samples:
        raise DemoError(f"there are no sample credentials in {examples}")
    for sample in samples:
        data = sample.read_bytes()
        named = claims.issuer(data, profiles.detect(data))
        member = next(
            (
                one
                for one in consortium.members
                if named is not None
                and named.matches(name=one.name, domain=one.domain, declared=())
            ),
            consortium.members[0],  # a PDF names nobody that a program can read
        )
        folder = consortium.processes.directory / member.domain
        folder.mkdir(exist_ok=True)
        copy = folder / sample.name
        shutil.copyfile(sample, copy)
        issued.setdefault(member, []).append(Issued(copy, member))
    return issued


def prologue(story: Story, consortium: Consortium) -> None:
    """Before the acts: what stands now, as the chain and the nodes themselves say it."""
    from testamur.chain.ledger_client import LedgerClient  # noqa: PLC0415 (slow to import)

    chain, deployment = consortium.chain, consortium.deployment
    with LedgerClient(chain.url, deployment.contract, timeout_seconds=20) as client:
        block = client.block("latest")
        size, _ = client.head_at(block.hash)
        story.expect(size == 1, f"an Ethereum chain on this machine, for trials: {chain.url}")
    told = [_ledger(consortium.http, member) for member in consortium.members]
    story.expect(
        {ledger["ledger_id"] for ledger in told} == {deployment.ledger_id.hex()},
        f"a ledger of three universities, {deployment.ledger_id.hex()[:16]}…, and a node of each",
    )


def registrar(story: Story, issued: Issues, consortium: Consortium) -> None:
    """Act one: commit and submit."""
    story.act(
        "The registrar",
        "Each university has issued credentials. It registers them at its own node. Files and "
        "names stay in the house: only salted fingerprints leave it.",
    )
    with story.console.status("each university registers its credentials ..."):
        committed = _each(consortium, "commit", issued)
        submitted = _each(consortium, "submit", issued)
    for (member, credentials), commit, submit in zip(
        issued.items(), committed, submitted, strict=True
    ):
        story.said(f"[bold]{member.name}[/bold]: {', '.join(one.path.name for one in credentials)}")
        story.typed(*commit.arguments)
        story.expect(
            commit.code == 0,
            "each file has its own secret salt, kept beside it",
            otherwise=commit.errors,
        )
        story.typed(*submit.arguments)
        story.expect(
            submit.code == 0,
            f"the node has taken {len(credentials)} entries, and will not lose them",
            otherwise=submit.errors,
        )


def student(story: Story, issued: Issues, consortium: Consortium) -> None:
    """Act two: receipts."""
    story.act(
        "The student",
        "The nodes put what was submitted into batches and anchor one fingerprint of each on the "
        "chain. When that is final, every credential gets its receipt: a file to keep with it.",
    )
    with story.console.status("waiting until the anchors are final ..."):
        fetched = _each(consortium, "receipt", issued, "--wait", WAIT_FINAL_SECONDS)
    for credentials, done in zip(issued.values(), fetched, strict=True):
        story.typed(*done.arguments)
        for one in credentials:
            there = done.code == 0 and receipt_path(one.path).is_file()
            story.expect(there, f"{receipt_path(one.path).name}", otherwise=done.errors)


def employer(story: Story, issued: Issues, consortium: Consortium) -> None:
    """Act three: verification over HTTP and on the command line, and tampered copies."""
    story.act(
        "The employer",
        "An applicant sends a credential and its receipt. The employer asks a node, by program "
        "or by hand, and branches on one word: accept, review, reject or retry.",
    )
    first, genuine = next(iter(issued.items()))
    tampered = _improved(genuine, consortium.processes.directory)
    with story.console.status("asking the nodes ..."):
        shown, refused, *verified = consortium.processes.run_all(
            ("verify", str(genuine[0].path), "--node", first.url),
            ("verify", *map(str, tampered), "--node", first.url, "--json"),
            *(
                _at(member, "verify", credentials, "--json")
                for member, credentials in issued.items()
            ),
        )
    story.said("One report as a person sees it:")
    story.typed(*shown.arguments)
    for line in shown.output.splitlines():
        story.said(f"[dim]{escape(line)}[/dim]")
    story.said("")
    for credentials, done in zip(issued.values(), verified, strict=True):
        story.typed(*done.arguments)
        for one, told in zip(credentials, _reports(done, len(credentials)), strict=True):
            report = _ask_over_http(consortium.http, one)
            story.expect(
                report["outcome"] == "accept" and _all_valid(report),
                f"{one.path.name}: a program asks over HTTP → {report['outcome']}",
            )
            story.expect(
                done.code == 0 and told["verdict"] == "verified",
                f"{one.path.name}: a person asks on the command line → {told['outcome']}",
            )
            story.said(f"[dim]{escape(str(report['summary']))}[/dim]")
    story.said("")
    story.said("Another applicant has improved two credentials. The receipts are the genuine ones.")
    _refused(story, tampered, refused)


def _each(consortium: Consortium, name: str, issued: Issues, *options: str) -> Sequence[Finished]:
    """Run one command at every university, at its own node with its own credentials."""
    return consortium.processes.run_all(
        *(_at(member, name, credentials, *options) for member, credentials in issued.items())
    )


def _at(member: Member, name: str, credentials: Sequence[Issued], *options: str) -> Sequence[str]:
    return (name, *(str(one.path) for one in credentials), "--node", member.url, *options)


def _all_valid(report: dict[str, Any]) -> bool:
    """Whether every check holds; a PDF's issuer cannot be read, and may be unknown."""
    return all(
        check["status"] == "valid" or check["code"] == "issuer_not_read"
        for check in report["checks"]
    )


def _improved(genuine: Sequence[Issued], directory: Path) -> Sequence[Path]:
    """Put changed copies beside copies of the genuine receipts."""
    folder = directory / "employer"
    folder.mkdir(exist_ok=True)
    tampered = []
    for one in genuine:
        copy = folder / f"improved-{one.path.name}"
        copy.write_bytes(by_hand.improve(one.path.read_bytes()))
        shutil.copyfile(receipt_path(one.path), receipt_path(copy))
        tampered.append(copy)
    return tampered


def _refused(story: Story, tampered: Sequence[Path], done: Finished) -> None:
    story.typed(*done.arguments)
    for path, report in zip(tampered, _reports(done, len(tampered)), strict=True):
        failing = [check for check in report["checks"] if check["status"] == "invalid"]
        story.expect(
            done.code == 1
            and report["outcome"] == "reject"
            and [check["code"] for check in failing] == ["other_credential"],
            f"{path.name} → {report['outcome']}",
        )
        for check in failing:
            story.said(f"[dim]the check “{check['name']}” failed: {escape(check['detail'])}[/dim]")


def auditor(story: Story, issued: Issues, consortium: Consortium) -> None:
    """Act four: the same history everywhere, and a receipt re-derived by hand."""
    from testamur.chain.ledger_client import LedgerClient  # noqa: PLC0415 (slow to import)

    story.act(
        "The auditor",
        "No node is believed. The ledger's size and root are read from each node and from the "
        "contract itself; then one receipt is re-derived with nothing but a hash function.",
    )
    told = [_ledger(consortium.http, member) for member in consortium.members]
    table = Table("source", "records", "root", "block", box=None, padding=(0, 2))
    for member, ledger in zip(consortium.members, told, strict=True):
        final = ledger["final"]
        table.add_row(member.name, str(final["size"]), _short(final["root"]), str(final["block"]))
    contract = bytes.fromhex(told[0]["contract"][2:])
    with LedgerClient(consortium.chain.url, contract, timeout_seconds=20) as client:
        block = client.block("finalized")
        size, root = client.head_at(block.hash)
    table.add_row("the contract", str(size), _short(root.hex()), str(block.number))
    story.console.print(table)
    heads = {(ledger["final"]["size"], ledger["final"]["root"]) for ledger in told}
    story.expect(
        heads == {(size, root.hex())}, "three nodes and the contract tell one and the same history"
    )
    for member in consortium.members:
        consortium.processes.wait_until(member.process, partial(_holds_all, consortium, member))
    story.expect(
        all(_holds_all(consortium, member) for member in consortium.members),
        "each node holds the batches of all three: any of them proves what any other registered",
    )
    one = next(credentials[0] for credentials in issued.values())
    receipt: Any = parse(receipt_path(one.path).read_bytes())
    story.expect(
        by_hand.rederive(receipt),
        f"{one.path.name}: credential → batch → record → root, re-derived with SHA-256 alone",
    )


def _ledger(http: httpx.Client, member: Member) -> dict[str, Any]:
    return dict(http.get(f"{member.url}/v1/ledger").json())


def _holds_all(consortium: Consortium, member: Member) -> bool:
    """Whether a member's node holds every batch that any of them anchored."""
    told = consortium.http.get(f"{member.url}/v1/members").json()["members"]
    anchored = [one["batches_anchored"] for one in told]
    return any(anchored) and anchored == [one["batches_held"] for one in told]


def _short(root: str) -> str:
    return f"{root[:16]}…{root[-8:]}"


def _ask_over_http(http: httpx.Client, one: Issued) -> dict[str, Any]:
    receipt: Any = parse(receipt_path(one.path).read_bytes())
    profile = receipt["commitment"]["profile"]
    digest = profiles.digest(one.path.read_bytes(), profile).hex()
    answer = http.post(
        f"{one.member.url}/v1/verify",
        json={"profile": profile, "digest": digest, "receipt": receipt},
    )
    if answer.status_code != httpx.codes.OK:
        raise DemoError(f"the node answered {answer.status_code}: {answer.text[:300]}")
    return dict(answer.json())


def _reports(done: Finished, count: int) -> Sequence[dict[str, Any]]:
    """Give the reports that a ``verify`` with ``--json`` printed."""
    reports = done.json_lines()
    if len(reports) != count or not all("outcome" in report for report in reports):
        raise DemoError(f"verify gave no reports: {done.output}{done.errors}")
    return reports
