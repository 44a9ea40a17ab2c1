"""``testamur devchain``: run the embedded chain in the foreground."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from testamur.errors import TestamurError

if TYPE_CHECKING:
    from testamur.chain.devchain.server import DevchainServer

_EXIT_FAILED = 1
_EXIT_USAGE = 2


def devchain(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8545,
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Where the chain is kept; without it, in memory until the end."),
    ] = None,
    finality: Annotated[
        int, typer.Option(min=0, help="Blocks by which finalized lags behind the head.")
    ] = 2,
    block_interval: Annotated[
        float,
        typer.Option(help="Seconds between the empty blocks that carry a block to finality."),
    ] = 0.2,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print the address and the accounts as JSON.")
    ] = False,
) -> None:
    """Run an Ethereum chain on this machine, for trials. Its accounts are public."""
    # py-evm takes most of a second to import, which `testamur --help` should not pay.
    from testamur.chain.devchain.chain import DevChain  # noqa: PLC0415
    from testamur.chain.devchain.server import DevchainServer  # noqa: PLC0415

    try:
        chain = DevChain(data_dir=data_dir, clock=time.time, finality=finality)
        server = DevchainServer(chain, host=host, port=port, block_interval=block_interval)
    except TestamurError as exc:
        typer.echo(f"{exc}\n{exc.advice}".rstrip(), err=True)
        raise typer.Exit(_EXIT_USAGE) from exc
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.request_stop())
    server.start()
    described = _describe(server, data_dir, finality)
    typer.echo(json.dumps(described) if json_output else _as_text(described))
    sys.stdout.flush()
    server.wait()
    server.stop()
    chain.close()
    if server.failed is not None:
        typer.echo(f"The chain stopped: {server.failed}", err=True)
        raise typer.Exit(_EXIT_FAILED)


def _describe(server: DevchainServer, data_dir: Path | None, finality: int) -> dict[str, Any]:
    from testamur.chain.devchain.accounts import ACCOUNTS, WARNING  # noqa: PLC0415
    from testamur.chain.devchain.genesis import CHAIN_ID, GENESIS_HASH  # noqa: PLC0415

    return {
        "url": server.url,
        "chain_id": CHAIN_ID,
        "genesis": "0x" + GENESIS_HASH.hex(),
        "finality": finality,
        "data_dir": None if data_dir is None else str(data_dir),
        "warning": WARNING,
        "accounts": [
            {"address": account.address, "private_key": account.private_key} for account in ACCOUNTS
        ],
    }


def _as_text(described: dict[str, Any]) -> str:
    kept = described["data_dir"] or "memory only; gone when this ends (--data-dir keeps it)"
    lines = [
        f"Embedded chain at {described['url']}",
        f"  chain id   {described['chain_id']}",
        f"  genesis    {described['genesis']}",
        f"  finalized  {described['finality']} blocks behind the head",
        f"  kept in    {kept}",
        "",
        "Accounts with 10,000 ether each, and their keys:",
        *(f"  {entry['address']}  {entry['private_key']}" for entry in described["accounts"]),
        "",
        f"WARNING: {described['warning']}",
        "",
        "Ctrl-C stops it.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(devchain)
