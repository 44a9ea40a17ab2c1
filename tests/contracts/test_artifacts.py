"""What is checked in is what the sources give, and is what gets deployed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from testamur.chain.artifacts import load_ledger_artifact
from tests.support.deployed_ledger import DeployedLedger
from tests.support.optional import require

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "scripts" / "contracts"
ARTIFACT = Path("node/testamur/chain/artifacts/Ledger.json")
SIZE_LIMIT = 24_576  # EIP-170


def run(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(script), *arguments], capture_output=True, text=True, check=False, timeout=120
    )


def copy_of_the_sources(folder: Path) -> Path:
    """Lay out a tree as the script sees it, with the real compiler; gives the script."""
    for part in ("contracts", "tests/contracts", "node/testamur/chain/artifacts"):
        shutil.copytree(ROOT / part, folder / part)
    (folder / "scripts").mkdir()
    shutil.copy(SCRIPT, folder / "scripts")
    return folder / "scripts" / "contracts"


def require_compiler() -> None:
    require((ROOT / "node_modules" / "solc").is_dir(), "solc: run `npm ci`")
    require(shutil.which("node"), "Node.js")


@pytest.mark.slow  # the compiler takes seconds
def test_artifacts_are_what_the_sources_give() -> None:
    require_compiler()
    done = run(SCRIPT, "--check")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow  # the compiler takes seconds
def test_check_reports_drift_and_writes_nothing(tmp_path: Path) -> None:
    require_compiler()
    script = copy_of_the_sources(tmp_path)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    source = tmp_path / "contracts" / "Ledger.sol"
    source.write_text(source.read_text().replace("_COUNT_MAX = 2 ** 32", "_COUNT_MAX = 2 ** 31"))
    before = (tmp_path / ARTIFACT).read_bytes()
    done = run(script, "--check")
    assert done.returncode == 1
    assert f"{ARTIFACT}: differs from its sources" in done.stderr
    assert (tmp_path / ARTIFACT).read_bytes() == before


def test_a_missing_compiler_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    script = copy_of_the_sources(tmp_path)
    before = (tmp_path / ARTIFACT).read_bytes()
    done = run(script)
    assert done.returncode == 2
    assert "run `npm ci` first" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / ARTIFACT).read_bytes() == before


def test_compiler_is_pinned_in_the_sources_the_lock_and_the_artifact() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    version = package["devDependencies"]["solc"]
    lock = json.loads((ROOT / "package-lock.json").read_text())
    assert lock["packages"]["node_modules/solc"]["version"] == version
    assert load_ledger_artifact().compiler.startswith(f"{version}+commit.")
    sources = [*(ROOT / "contracts").glob("*.sol"), *(ROOT / "tests/contracts").glob("*.sol")]
    assert sources
    for source in sources:
        assert f"pragma solidity {version};" in source.read_text(), source


def test_lock_names_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    assert not [name for name, entry in lock["packages"].items() if "resolved" in entry]


def test_compiled_for_chains_without_push0() -> None:
    artifact = json.loads((ROOT / ARTIFACT).read_text())
    assert artifact["settings"]["evmVersion"] == "paris"


def test_deployed_code_is_the_artifacts_and_within_the_limit() -> None:
    ledger = DeployedLedger()
    code = load_ledger_artifact().deployed_bytecode
    assert ledger.evm.code(ledger.address) == code
    assert len(code) < SIZE_LIMIT


def test_contract_has_no_function_beyond_its_interface() -> None:
    functions = {e["name"] for e in load_ledger_artifact().abi if e["type"] == "function"}
    assert functions == {"anchor", "head", "member", "memberCount", "verifyRecord"}
    others = {e["type"] for e in load_ledger_artifact().abi}
    assert others == {"function", "event", "error", "constructor"}
