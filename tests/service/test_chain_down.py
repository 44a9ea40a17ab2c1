"""A chain that does not answer, or is another one, is never a verdict and loses nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from eth_abi.abi import encode
from structlog.testing import capture_logs

from testamur.bootstrap import open_node
from testamur.chain.client import ChainClient
from testamur.chain.devchain.accounts import ACCOUNTS
from testamur.errors import (
    ChainIdentityError,
    ChainUnavailableError,
    ConfigurationError,
    StoreIdentityError,
    StoreLockedError,
)
from testamur.ledger.birth import encode_birth
from testamur.service.loops import Loops
from tests.support.lying_endpoint import LyingEndpoint, pruned
from tests.support.node import Consortium, founded
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow  # a node waits for a chain that does not answer


class Line:
    """The wire between a node and its chain, which a test can cut or have tell something else."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.cut = False
        self.say: dict[str, object] = {}
        """Method to the result that is told in place of the chain's."""


@contextmanager
def line_to(target: str) -> Iterator[tuple[Line, str]]:
    line = Line(target)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            if line.cut:
                self.close_connection = True
                return
            called = json.loads(asked)
            if called["method"] in line.say:
                result = line.say[called["method"]]
                told = json.dumps({"jsonrpc": "2.0", "id": called["id"], "result": result}).encode()
            else:
                told = requests.post(
                    line.target,
                    data=asked,
                    headers={"Content-Type": "application/json"},
                    timeout=10,
                ).content
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield line, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def codes(report: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {check["name"]: (check["status"], check["code"]) for check in report["checks"]}


def test_without_the_chain_nothing_is_judged_and_submissions_go_on(consortium: Consortium) -> None:
    with (
        line_to(consortium.chain.url) as (line, url),
        consortium.serving(1, rpc_url=url) as node,
    ):
        node.step()
        before, after = consortium.some(1, 2)
        (receipt,) = consortium.register(node, before)
        line.cut = True

        report = node.verify(before, receipt)
        assert (report["outcome"], report["verdict"]) == ("retry", "could_not_check")
        assert report["registered_by"] is report["as_of"] is report["carried_by"] is None
        assert codes(report)["record"] == ("unknown", "chain_unavailable")
        assert codes(report)["batch"][0] == "valid"
        # A forgery needs no chain to be one.
        assert node.verify(after, receipt)["outcome"] == "reject"

        answer = node.http.get("/health/ready")
        assert answer.status_code == 503
        checks = answer.json()["checks"]
        assert (answer.json()["ready"], checks["store"]) == (False, "ok")
        assert checks["chain"] != "ok"
        assert node.http.get("/health/live").status_code == 200

        assert node.submit(after) == {"added": 1, "known": 0}
        node.step("sealing")
        assert node.state(after.entry) == "sealed"
        for stage in ("following", "anchoring"):
            with pytest.raises(ChainUnavailableError):
                node.step(stage)
        assert node.receipt(before)["entry"] == receipt["entry"]
        for path in ("/v1/ledger", "/v1/members", "/v1/trust"):
            assert node.http.get(path).status_code == 200

        line.cut = False
        consortium.bring(node, after.entry, "final")
        assert node.verify(after, node.receipt(after))["outcome"] == "accept"
        assert node.verify(before, receipt)["outcome"] == "accept"
        assert node.http.get("/health/ready").status_code == 200


def test_the_running_node_goes_on_by_itself_when_the_chain_is_back(consortium: Consortium) -> None:
    with (
        line_to(consortium.chain.url) as (line, url),
        consortium.serving(1, rpc_url=url, poll_seconds=0.02) as node,
    ):
        node.step("following")
        line.cut = True
        quick = [
            type(stage)(stage.name, stage.step, 0.02, pause_after_error_seconds=0.02)
            for stage in node.node.stages
        ]
        stopped: list[str] = []
        loops = Loops(quick, on_fatal=lambda: stopped.append("fatal"))
        loops.start()
        try:
            committed = consortium.some(1)[0]
            node.submit(committed)
            wait_until(lambda: node.state(committed.entry) == "sealed", 10)
            line.cut = False

            def final() -> bool:
                consortium.finalize()
                return node.state(committed.entry) == "final"

            wait_until(final, 20)
        finally:
            loops.stop()
        assert (stopped, loops.failed) == ([], None)
        assert node.verify(committed, node.receipt(committed))["outcome"] == "accept"


def test_a_chain_that_tells_something_else_is_no_verdict_and_no_crash(
    consortium: Consortium,
) -> None:
    with (
        line_to(consortium.chain.url) as (line, url),
        consortium.serving(1, rpc_url=url) as node,
    ):
        node.step("following")
        committed = consortium.some(1)[0]
        (receipt,) = consortium.register(node, committed)
        another_head = "0x" + "00" * 64
        for told in ("0x", another_head, "0x" + "ff" * 64, None, {"a": 1}, "rubbish"):
            line.say["eth_call"] = told
            report = node.verify(committed, receipt)
            assert (report["outcome"], report["verdict"]) == ("retry", "could_not_check"), told
            checks = node.http.get("/health/ready").json()["checks"]
            assert checks["store"] == "ok"
            assert checks["chain"] != "ok", told


def test_a_node_starts_and_proves_while_its_chain_is_down(consortium: Consortium) -> None:
    with consortium.serving(1) as node:
        node.step("following")
        committed = consortium.some(1)[0]
        (receipt,) = consortium.register(node, committed)
    with consortium.serving(1, rpc_url="http://127.0.0.1:9", rpc_timeout_seconds=1) as node:
        assert node.receipt(committed) == receipt
        report = node.verify(committed, receipt)
        assert (report["outcome"], report["verdict"]) == ("retry", "could_not_check")


def test_a_node_that_never_saw_its_chain_says_so_and_asks_to_retry(consortium: Consortium) -> None:
    settings = consortium.settings(1, rpc_url="http://127.0.0.1:9", rpc_timeout_seconds=1)
    with pytest.raises(ChainUnavailableError), open_node(settings, clock=consortium.clock):
        pass
    # A node of the same ledger that has only just begun to follow.
    with consortium.serving(2) as other, consortium.serving(1) as node:
        other.step("following")
        committed = consortium.some(2)[0]
        (receipt,) = consortium.register(other, committed)
        report = node.verify(committed, receipt)
        assert (report["outcome"], report["verdict"]) == ("retry", "could_not_check")
        for path in ("/v1/members", "/v1/trust"):
            answer = node.http.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "not_followed_yet")
            assert answer.headers["retry-after"]
        ready = node.http.get("/health/ready")
        assert ready.status_code == 503
        assert "birth" in ready.json()["checks"]["following"]
        assert node.http.get("/v1/ledger").json()["final"] is None


def test_verdicts_go_on_where_finality_lags_beyond_the_state_that_endpoints_keep(
    tmp_path: Path,
) -> None:
    with (
        founded(tmp_path, finality=130) as consortium,
        LyingEndpoint(consortium.chain.url, pruned(consortium.chain)) as endpoint,
        consortium.serving(1, rpc_url=endpoint.url) as node,
    ):
        node.step("following")
        old = consortium.some(1)[0]
        (receipt,) = consortium.register(node, old)
        waiting = consortium.some(1)[0]
        node.submit(waiting)
        consortium.bring(node, waiting.entry, "anchored")
        for _ in range(129):
            consortium.chain.chain.mine_empty_block()
        node.step("following")
        assert node.verify(old, receipt)["verdict"] == "verified"
        assert node.http.get("/health/ready").json()["checks"]["chain"] == "ok"


def test_a_node_that_has_not_reached_the_birth_rejects_nobody(
    consortium: Consortium, tmp_path: Path
) -> None:
    with consortium.serving(1) as first:
        first.step("following")
        committed = consortium.some(1)[0]
        (receipt,) = consortium.register(first, committed)
    with consortium.serving(1, data_dir=tmp_path / "begun anew") as begun:
        report = begun.verify(committed, receipt)
        assert (report["outcome"], report["verdict"]) == ("retry", "could_not_check")
        forged = {**receipt, "entry": "00" * 32}
        assert begun.verify(committed, forged)["outcome"] == "reject"


def test_a_node_that_stopped_following_is_not_ready(consortium: Consortium) -> None:
    late = 0.0
    consortium.clock = lambda: 1_800_000_000 + late
    with consortium.serving(2) as node:
        node.step("following")
        assert node.http.get("/health/ready").json()["ready"] is True
        late = 3600
        answer = node.http.get("/health/ready")
        assert answer.status_code == 503
        assert "last followed 3600 s ago" in answer.json()["checks"]["following"]


# --- the wrong chain, the wrong contract, the wrong directory -----------------------------------


def begun(consortium: Consortium) -> None:
    """Let a node of member 1 run once, so that its data belongs to this ledger."""
    with consortium.serving(1) as node:
        node.step("following")


def test_data_of_one_ledger_is_not_opened_for_another_contract_or_member(
    consortium: Consortium,
) -> None:
    begun(consortium)
    for given in ({"contract": "0x" + "11" * 20}, {"member": 2}):
        settings = consortium.settings(1, **given)
        with pytest.raises(StoreIdentityError), open_node(settings, clock=consortium.clock):
            pass


def test_data_of_one_ledger_is_not_opened_on_another_chain(
    consortium: Consortium, tmp_path: Path
) -> None:
    begun(consortium)
    (tmp_path / "other").mkdir()
    # The same genesis and the same contract address, as on every fresh chain, but another birth.
    with founded(tmp_path / "other", parent_blocks=1) as other:
        assert other.deployment.contract == consortium.deployment.contract
        assert other.ledger_id != consortium.ledger_id
        settings = consortium.settings(
            1, rpc_url=other.chain.url, contract_block=other.deployment.block_number
        )
        with pytest.raises(ChainIdentityError), open_node(settings, clock=consortium.clock):
            pass


def test_a_node_whose_chain_comes_up_as_another_one_stops(
    consortium: Consortium, tmp_path: Path
) -> None:
    begun(consortium)
    (tmp_path / "other").mkdir()
    with (
        founded(tmp_path / "other", parent_blocks=1) as other,
        line_to(other.chain.url) as (line, url),
    ):
        line.cut = True
        with consortium.serving(1, rpc_url=url, poll_seconds=0.02) as node:
            followed = node.node.service.ledger()
            quick = [replace(one, pause_after_error_seconds=0.02) for one in node.node.stages]
            stopped = threading.Event()
            loops = Loops(quick, on_fatal=stopped.set)
            loops.start()
            try:
                line.cut = False
                assert stopped.wait(20)
            finally:
                loops.stop()
            assert loops.failed is not None
            assert "birth" in loops.failed
            assert node.node.service.ledger() == followed


@pytest.mark.parametrize("stage", ["following", "anchoring"])
def test_one_odd_answer_is_an_outage_and_not_another_chain(
    consortium: Consortium, stage: str
) -> None:
    def odd_once(method: str, _params: list[Any], ask: Any) -> Any:
        answer = ask()
        if method == "eth_call" and not told:
            told.append(method)
            answer["result"] = "0x"
        return answer

    told: list[str] = []
    with (
        LyingEndpoint(consortium.chain.url) as endpoint,
        consortium.serving(1, rpc_url=endpoint.url) as node,
    ):
        node.step()
        node.submit(*consortium.some(1))
        node.step("sealing")
        consortium.chain.chain.mine_empty_block()
        endpoint.lie = odd_once
        with pytest.raises(ChainUnavailableError, match="of another ledger, once"):
            node.step(stage)
        assert told
        node.step()


def test_a_place_without_a_ledger_is_no_place_to_start(consortium: Consortium) -> None:
    settings = consortium.settings(1, contract="0x" + "11" * 20)
    with pytest.raises(ChainIdentityError), open_node(settings, clock=consortium.clock):
        pass
    settings = consortium.settings(1, contract_block=consortium.deployment.block_number + 1)
    with pytest.raises(ChainIdentityError), open_node(settings, clock=consortium.clock):
        pass


def test_another_ledger_than_the_settings_name_is_refused_and_nothing_is_kept(
    consortium: Consortium,
) -> None:
    other, own = "11" * 32, consortium.ledger_id.hex()
    wrong = consortium.settings(1, ledger_id=other)
    with pytest.raises(ChainIdentityError) as refused, open_node(wrong, clock=consortium.clock):
        pass
    assert own in str(refused.value)
    assert other in str(refused.value)
    with consortium.serving(1, ledger_id=own) as node:
        node.step("following")
    # Data that is bound already is compared, too.
    with pytest.raises(StoreIdentityError) as bound, open_node(wrong, clock=consortium.clock):
        pass
    assert own in str(bound.value)
    assert other in str(bound.value)


@pytest.mark.parametrize("altered", [{"chain_id": 1}, {"contract": bytes(20)}])
def test_a_birth_that_names_another_chain_or_contract_founds_no_node(
    consortium: Consortium, altered: dict[str, Any]
) -> None:
    at = hex(consortium.deployment.block_number)
    with ChainClient(consortium.chain.url, timeout_seconds=10) as client:
        logs: Any = client.connection.ask("eth_getLogs", {"fromBlock": at, "toBlock": at})
    told = encode_birth(replace(consortium.deployment.birth, **altered))
    logs[0]["data"] = "0x" + encode(["bytes"], [told]).hex()
    with line_to(consortium.chain.url) as (line, url):
        line.say["eth_getLogs"] = logs
        settings = consortium.settings(1, rpc_url=url)
        with (
            pytest.raises(ChainIdentityError, match="another chain or contract"),
            open_node(settings, clock=consortium.clock),
        ):
            pass


def test_a_member_that_the_ledger_does_not_have_is_a_wrong_setting(consortium: Consortium) -> None:
    settings = consortium.settings(1, member=4)
    with (
        pytest.raises(ConfigurationError, match="no member 4"),
        open_node(settings, clock=consortium.clock),
    ):
        pass


def test_an_operator_is_told_once_why_nothing_is_anchored(
    consortium: Consortium, tmp_path: Path
) -> None:
    key = tmp_path / "another.key"
    key.write_text(ACCOUNTS[9].private_key)
    with consortium.serving(1, anchor_key_file=key) as node, capture_logs() as logs:
        node.submit(*consortium.some(1))
        for _ in range(3):
            node.step()
        (told,) = [line for line in logs if line["event"] == "anchoring needs the operator"]
        assert (told["phase"], told["log_level"]) == ("key_inactive", "warning")
        assert ACCOUNTS[9].private_key[2:] not in str(logs)


def test_two_nodes_do_not_share_a_data_directory(consortium: Consortium) -> None:
    settings = consortium.settings(1)
    with (
        consortium.serving(1),
        pytest.raises(StoreLockedError),
        open_node(settings, clock=consortium.clock),
    ):
        pass
    with open_node(settings, clock=consortium.clock):
        pass
