"""The demo as a story in four acts, told by those who live it. Every claim in it is checked."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table

from testamur.cli.demo.consortium import Chain, Member
from testamur.cli.demo.processes import run
from testamur.cli.registered import receipt_path
from testamur.credentials import claims, profiles
from testamur.credentials.strict_json import parse
from testamur.errors import DemoError

if TYPE_CHECKING:
    from testamur.chain.deployment import Deployment

WAIT_FINAL_SECONDS = "60"


@dataclass(slots=True)
class Story:
    """What was told, and whether each expectation held."""

    console: Console
    """Where it is told."""
    held: int = 0
    """Expectations that held."""
    broken: list[str] = field(default_factory=list)
    """Those that did not."""

    def act(self, role: str, plot: str) -> None:
        """Open an act."""
        self.console.print()
        self.console.print(
            Panel(plot, title=f"[bold]{role}[/bold]", title_align="left", border_style="cyan")
        )

    def typed(self, *arguments: str) -> None:
        """Show a command as a person would type it."""
        shown = " ".join(Path(a).name if "/" in a and "://" not in a else a for a in arguments)
        self._print(f"[dim]$ testamur {escape(shown)}[/dim]", indent=2)

    def said(self, text: str) -> None:
        """Tell something that is not an expectation."""
        self._print(text, indent=4)

    def _print(self, text: str, *, indent: int) -> None:
        self.console.print(Padding(text, (0, 0, 0, indent)))

    def expect(self, held: object, text: str, *, otherwise: str = "") -> None:
        """Tell an expectation, and whether it held."""
        if held:
            self.held += 1
            self._print(f"[green]✓[/green] {text}", indent=2)
        else:
            self.broken.append(text)
            detail = f" [dim]{escape(otherwise[-600:])}[/dim]" if otherwise else ""
            self._print(f"[red]✗ {text}[/red]{detail}", indent=2)


@dataclass(frozen=True, slots=True)
class Issued:
    """One credential of the demo, and who registers it."""

    path: Path
    """Its copy in the demo's directory."""
    member: Member
    """The university that registers it."""


def hand_out(
    examples: Path, directory: Path, members: Sequence[Member]
) -> dict[Member, list[Issued]]:
    """Copy the sample credentials to the universities that issue them.

    Raises:
        DemoError: there are none.
    """
    issued: dict[Member, list[Issued]] = {}
    samples = sorted(path for path in examples.glob("*") if path.is_file())
    if not samples:
        raise DemoError(f"there are no sample credentials in {examples}")
    for sample in samples:
        data = sample.read_bytes()
        named = claims.issuer(data, profiles.detect(data))
        member = next(
            (
                one
                for one in members
                if named is not None
                and named.matches(name=one.name, domain=one.domain, declared=())
            ),
            members[0],  # a PDF names nobody that a program can read
        )
        folder = directory / member.domain
        folder.mkdir(exist_ok=True)
        copy = folder / sample.name
        shutil.copyfile(sample, copy)
        issued.setdefault(member, []).append(Issued(copy, member))
    return issued


def prologue(story: Story, members: Sequence[Member], chain: Chain, deployment: Deployment) -> None:
    """Before the acts: what stands now, as the chain and the nodes themselves say it."""
    from testamur.chain.ledger_client import LedgerClient  # noqa: PLC0415 (slow to import)

    with LedgerClient(chain.url, deployment.contract, timeout_seconds=20) as client:
        block = client.block("latest")
        size, _ = client.head_at(block.hash)
        story.expect(size == 1, f"an Ethereum chain on this machine, for trials: {chain.url}")
    told = [_ledger(member) for member in members]
    story.expect(
        {ledger["ledger_id"] for ledger in told} == {deployment.ledger_id.hex()},
        f"a ledger of three universities, {deployment.ledger_id.hex()[:16]}…, and a node of each",
    )


def registrar(story: Story, issued: dict[Member, list[Issued]]) -> None:
    """Act one: commit and submit."""
    story.act(
        "The registrar",
        "Each university has issued credentials. It registers them at its own node. Files and "
        "names stay in the house: only salted fingerprints leave it.",
    )
    for member, credentials in issued.items():
        paths = [str(one.path) for one in credentials]
        story.said(f"[bold]{member.name}[/bold]: {', '.join(one.path.name for one in credentials)}")
        story.typed("commit", *paths, "--node", member.url)
        done = run("commit", *paths, "--node", member.url)
        story.expect(
            done.code == 0,
            "each file has its own secret salt, kept beside it",
            otherwise=done.errors,
        )
        story.typed("submit", *paths, "--node", member.url)
        done = run("submit", *paths, "--node", member.url)
        story.expect(
            done.code == 0,
            f"the node has taken {len(paths)} entries, and will not lose them",
            otherwise=done.errors,
        )


def student(story: Story, issued: dict[Member, list[Issued]]) -> None:
    """Act two: receipts."""
    story.act(
        "The student",
        "The nodes put what was submitted into batches and anchor one fingerprint of each on the "
        "chain. When that is final, every credential gets its receipt: a file to keep with it.",
    )
    for member, credentials in issued.items():
        paths = [str(one.path) for one in credentials]
        story.typed("receipt", *paths, "--node", member.url, "--wait", WAIT_FINAL_SECONDS)
        with story.console.status("waiting until the anchor is final ..."):
            done = run("receipt", *paths, "--node", member.url, "--wait", WAIT_FINAL_SECONDS)
        for one in credentials:
            there = done.code == 0 and receipt_path(one.path).is_file()
            story.expect(there, f"{receipt_path(one.path).name}", otherwise=done.errors)


def employer(story: Story, issued: dict[Member, list[Issued]], directory: Path) -> None:
    """Act three: verification over HTTP and on the command line, and a tampered copy."""
    story.act(
        "The employer",
        "An applicant sends a credential and its receipt. The employer asks a node, by program "
        "or by hand, and branches on one word: accept, review, reject or retry.",
    )
    every = [one for credentials in issued.values() for one in credentials]
    story.said("One report as a person sees it:")
    arguments = ("verify", str(every[0].path), "--node", every[0].member.url)
    story.typed(*arguments)
    for line in run(*arguments).output.splitlines():
        story.said(f"[dim]{escape(line)}[/dim]")
    story.said("")
    for member, credentials in issued.items():
        on_command_line = _verify(story, member, [one.path for one in credentials])
        for one, (code, told) in zip(credentials, on_command_line, strict=True):
            report = _ask_over_http(one)
            story.expect(
                report["outcome"] == "accept" and _all_valid(report),
                f"{one.path.name}: a program asks over HTTP → {report['outcome']}",
            )
            story.expect(
                code == 0 and told["verdict"] == "verified",
                f"{one.path.name}: a person asks on the command line → {told['outcome']}",
            )
            story.said(f"[dim]{escape(str(report['summary']))}[/dim]")
    story.said("")
    story.said("Another applicant has improved two credentials. The receipts are the genuine ones.")
    _tampered(story, _of_the_first(issued), directory)


def _of_the_first(issued: dict[Member, list[Issued]]) -> list[Issued]:
    """Give the credentials of the first university."""
    return next(iter(issued.values()))


def _all_valid(report: dict[str, Any]) -> bool:
    """Whether every check holds; a PDF's issuer cannot be read, and may be unknown."""
    return all(
        check["status"] == "valid" or check["code"] == "issuer_not_read"
        for check in report["checks"]
    )


def _tampered(story: Story, genuine: Sequence[Issued], directory: Path) -> None:
    folder = directory / "employer"
    folder.mkdir(exist_ok=True)
    tampered = []
    for one in genuine:
        copy = folder / f"improved-{one.path.name}"
        copy.write_bytes(improve(one.path.read_bytes()))
        shutil.copyfile(receipt_path(one.path), receipt_path(copy))
        tampered.append(copy)
    for path, (code, report) in zip(
        tampered, _verify(story, genuine[0].member, tampered), strict=True
    ):
        failing = [check for check in report["checks"] if check["status"] == "invalid"]
        story.expect(
            code == 1
            and report["outcome"] == "reject"
            and [check["code"] for check in failing] == ["other_credential"],
            f"{path.name} → {report['outcome']}",
        )
        for check in failing:
            story.said(f"[dim]the check “{check['name']}” failed: {escape(check['detail'])}[/dim]")


def improve(data: bytes) -> bytes:
    """Change one digit, as an applicant might, so that the file still opens."""
    for position in range(len(data) // 2, len(data)):
        if data[position : position + 1] in {b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8"}:
            digit = str(int(data[position : position + 1]) + 1).encode()
            return data[:position] + digit + data[position + 1 :]
    raise DemoError("the sample has no digit to improve")


def auditor(
    story: Story, issued: dict[Member, list[Issued]], members: Sequence[Member], chain: Chain
) -> None:
    """Act four: the same history everywhere, and a receipt re-derived by hand."""
    from testamur.chain.ledger_client import LedgerClient  # noqa: PLC0415 (slow to import)

    story.act(
        "The auditor",
        "No node is believed. The ledger's size and root are read from each node and from the "
        "contract itself; then one receipt is re-derived with nothing but a hash function.",
    )
    told = [_ledger(member) for member in members]
    table = Table("source", "records", "root", "block", box=None, padding=(0, 2))
    for member, ledger in zip(members, told, strict=True):
        final = ledger["final"]
        table.add_row(member.name, str(final["size"]), _short(final["root"]), str(final["block"]))
    contract = bytes.fromhex(told[0]["contract"][2:])
    with LedgerClient(chain.url, contract, timeout_seconds=20) as client:
        block = client.block("finalized")
        size, root = client.head_at(block.hash)
    table.add_row("the contract", str(size), _short(root.hex()), str(block.number))
    story.console.print(table)
    heads = {(ledger["final"]["size"], ledger["final"]["root"]) for ledger in told}
    story.expect(
        heads == {(size, root.hex())}, "three nodes and the contract tell one and the same history"
    )
    one = next(credentials[0] for credentials in issued.values())
    receipt: Any = parse(receipt_path(one.path).read_bytes())
    story.expect(
        rederive(receipt),
        f"{one.path.name}: credential → batch → record → root, re-derived with SHA-256 alone",
    )


def rederive(receipt: dict[str, Any]) -> bool:
    """Climb from the entry to the ledger's root by RFC 9162, sharing no code with the product."""
    from hashlib import sha256  # noqa: PLC0415 (the point is how little this needs)

    def climb(value: bytes, index: int, size: int, path: list[str]) -> bytes:
        last, steps = size - 1, iter(path)
        while last:
            if index % 2:
                value = sha256(b"\x01" + bytes.fromhex(next(steps)) + value).digest()
            elif index < last:
                value = sha256(b"\x01" + value + bytes.fromhex(next(steps))).digest()
            index, last = index // 2, last // 2
        return value

    record, ledger = receipt["record"], receipt["ledger"]
    leaf = sha256(b"\x00" + bytes.fromhex(receipt["entry"])).digest()
    batch_root = climb(leaf, receipt["batch"]["index"], record["count"], receipt["batch"]["path"])
    body = (
        bytes([record["kind"]])
        + record["member"].to_bytes(4)
        + record["time"].to_bytes(8)
        + record["count"].to_bytes(8)
        + batch_root
        + record["status_count"].to_bytes(8)
        + bytes.fromhex(record["status_root"])
    )
    leaf = sha256(b"\x00" + body).digest()
    return climb(leaf, record["index"], ledger["size"], record["path"]) == bytes.fromhex(
        ledger["root"]
    )


def _ledger(member: Member) -> dict[str, Any]:
    return dict(httpx.get(f"{member.url}/v1/ledger", timeout=10).json())


def _short(root: str) -> str:
    return f"{root[:16]}…{root[-8:]}"


def _ask_over_http(one: Issued) -> dict[str, Any]:
    receipt: Any = parse(receipt_path(one.path).read_bytes())
    profile = receipt["commitment"]["profile"]
    digest = profiles.digest(one.path.read_bytes(), profile).hex()
    answer = httpx.post(
        f"{one.member.url}/v1/verify",
        json={"profile": profile, "digest": digest, "receipt": receipt},
        timeout=20,
    )
    if answer.status_code != httpx.codes.OK:
        raise DemoError(f"the node answered {answer.status_code}: {answer.text[:300]}")
    return dict(answer.json())


def _verify(
    story: Story, member: Member, paths: Sequence[Path]
) -> Sequence[tuple[int, dict[str, Any]]]:
    """Verify on the command line; gives the exit code of all with each one's report."""
    arguments = ("verify", *map(str, paths), "--node", member.url)
    story.typed(*arguments)
    done = run(*arguments, "--json")
    reports = done.json_lines()
    if len(reports) != len(paths) or not all("outcome" in report for report in reports):
        raise DemoError(f"verify gave no reports: {done.output}{done.errors}")
    return [(done.code, report) for report in reports]
