"""Tokens and intake over a store that fails; and what never gets out."""

from __future__ import annotations

import io
import json
import logging
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from testamur.errors import (
    DiskLowError,
    QuotaExceededError,
    StoreUnavailableError,
    TestamurError,
    TokenNameTakenError,
)
from testamur.ledger.operator_log import ANYONE, COMMAND_LINE, follow, origin
from testamur.logs import configure_logs
from testamur.service.access import PREFIX, Access, NewToken, TokenRequest, expires_days
from testamur.service.intake import Intake, IntakeLimits
from testamur.storage.sql.store import SqlStore, open_store
from testamur.storage.tokens import SCOPES
from tests.support.faulty import Fault, FaultyStore
from tests.support.stored import IDENTITY, some_entries

NOW = 20_000 * 86_400.0
LIMITS = IntakeLimits(
    submission_entries_max=100, queue_entries_max=100, disk_free_bytes_min=1000, open=False
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with open_store(tmp_path) as store:
        store.bind_identity(IDENTITY)
        yield store


def access_to(store: Any) -> Access:
    return Access(store, clock=lambda: NOW, random_bytes=secrets.token_bytes)


def intake_to(store: Any, *, free: Callable[[], int] = lambda: 10**9) -> Intake:
    return Intake(store, limits=LIMITS, clock=lambda: NOW, free_bytes=free)


def made(access: Access, *scopes: str, **given_more: Any) -> NewToken:
    return access.create(TokenRequest("LMS", scopes or ("submit",), **given_more), by=COMMAND_LINE)


def check_log(store: SqlStore) -> list[str]:
    lines = store.log_lines(limit=1000)
    start = origin(IDENTITY.ledger_id, IDENTITY.member)
    return [line.act.name for line in follow(lines, start)]


@pytest.mark.parametrize("kept", [False, True])
def test_a_token_whose_keeping_failed_is_seen_by_nobody(store: SqlStore, *, kept: bool) -> None:
    fault = Fault("put_token", kept=kept)
    access = access_to(FaultyStore(store, fault))
    with pytest.raises(StoreUnavailableError):
        made(access)
    fault.armed = False
    assert check_log(store) == (["token_created"] if kept else [])
    if kept:
        with pytest.raises(TokenNameTakenError):
            made(access)
        access.revoke("LMS", by=COMMAND_LINE)
    text = made(access).text
    assert access.authorise(text, "submit").name == "LMS"


@pytest.mark.parametrize("kept", [False, True])
def test_a_revocation_that_failed_is_repeated(store: SqlStore, *, kept: bool) -> None:
    fault = Fault("revoke_token", kept=kept)
    access = access_to(FaultyStore(store, fault))
    token = made(access).token
    with pytest.raises(StoreUnavailableError):
        access.revoke("LMS", by=COMMAND_LINE)
    fault.armed = False
    access.revoke(token.id, by=COMMAND_LINE)
    assert check_log(store) == ["token_created", "token_revoked"]


@pytest.mark.parametrize("kept", [False, True])
def test_a_submission_that_failed_is_neither_lost_nor_charged_twice(
    store: SqlStore, *, kept: bool
) -> None:
    fault = Fault("add_entries", kept=kept)
    token = made(access_to(store), quota_per_day=5).token
    intake = intake_to(FaultyStore(store, fault))
    with pytest.raises(StoreUnavailableError):
        intake.submit(some_entries(5), token.actor)
    fault.armed = False
    result = intake.submit(some_entries(5), token.actor)
    assert (result.added, result.known) == ((0, 5) if kept else (5, 0))
    with pytest.raises(QuotaExceededError):
        intake.submit(some_entries(1, "more"), token.actor)
    store.settle_submissions(before=int(NOW) + 60)
    counted = store.log_lines(start=1)[0].act.details
    assert counted["added"] == store.totals().accepted == 5


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("step", ["settle_submissions", "record_act"])
def test_an_end_that_was_not_recorded_is_recorded_by_trying_again(
    store: SqlStore, step: str, *, kept: bool
) -> None:
    fault = Fault(step, kept=kept)
    access = access_to(FaultyStore(store, fault))
    intake_to(store).submit(some_entries(3), ANYONE)
    with pytest.raises(StoreUnavailableError):
        access.stopped(None)
    fault.armed = False
    access.stopped(None)
    assert check_log(store) == ["entries_submitted", "node_stopped"]


def test_what_a_crash_left_counted_is_written_at_the_next_start(store: SqlStore) -> None:
    intake_to(store).submit(some_entries(3), ANYONE)
    later = Access(store, clock=lambda: NOW + 60, random_bytes=secrets.token_bytes)
    later.started("1", ["open_submission"])
    assert check_log(store) == ["entries_submitted", "node_started"]


def test_free_space_is_looked_at_before_anything_is_stored(store: SqlStore) -> None:
    free = 999
    intake = intake_to(store, free=lambda: free)
    with pytest.raises(DiskLowError) as caught:
        intake.submit(some_entries(1), ANYONE)
    assert caught.value.retry_after_seconds > 0
    assert store.queue().count == 0
    free = 1000
    assert intake.submit(some_entries(1), ANYONE).added == 1


def test_a_token_has_a_prefix_a_public_id_and_a_secret_of_160_bits(store: SqlStore) -> None:
    drawn: list[int] = []

    def random_bytes(length: int) -> bytes:
        drawn.append(length)
        return bytes(range(length))

    new = Access(store, clock=lambda: NOW, random_bytes=random_bytes)
    text = made(new).text
    assert text == f"{PREFIX}{bytes(range(5)).hex()}_{bytes(range(20)).hex()}"
    assert drawn == [5, 20]
    kept = store.token(bytes(range(5)).hex())
    assert kept is not None
    assert kept[1].hex() not in text


@pytest.mark.parametrize("text", ["90d", "1d", "36500d", "never"])
def test_an_end_is_days_or_never(text: str) -> None:
    assert expires_days(text) == (None if text == "never" else int(text[:-1]))


@pytest.mark.parametrize(
    "text", ["", "0d", "90", "d", "-1d", "1.5d", "Never", "\N{ARABIC-INDIC DIGIT ONE}d", "999999d"]
)
def test_an_end_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(TestamurError):
        expires_days(text)


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SqlStore, io.StringIO]]:
    """Give a store, and what is logged while the module's property is looked at."""
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logs(stream, as_json=True)
    with open_store(tmp_path_factory.mktemp("leaky")) as store:
        store.bind_identity(IDENTITY)
        yield store, stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


MANGLED: list[Callable[[str], str]] = [
    lambda text: text,
    lambda text: text[:-1],
    lambda text: text + "0",
    lambda text: text.upper(),
    lambda text: text[::-1],
    lambda text: text.replace("_", "-"),
]


@given(
    mangle=st.sampled_from(MANGLED),
    scope=st.sampled_from(SCOPES),
    fails=st.sampled_from(["", "token", "add_entries"]),
    seconds=st.sampled_from([0, 10 * 86_400]),
    revoked=st.booleans(),
    count=st.integers(1, 9),
)
def test_no_error_and_no_log_holds_a_token_or_its_hash(
    leaky: tuple[SqlStore, io.StringIO],
    mangle: Callable[[str], str],
    scope: Any,
    fails: str,
    seconds: int,
    *,
    revoked: bool,
    count: int,
) -> None:
    store, stream = leaky
    real = Access(store, clock=lambda: NOW, random_bytes=secrets.token_bytes)
    name = secrets.token_hex(8)
    wanted = TokenRequest(name, ["submit"], expires_days=5, quota_per_day=4)
    new = real.create(wanted, by=COMMAND_LINE)
    if revoked:
        real.revoke(name, by=COMMAND_LINE)
    faulty = FaultyStore(store, Fault(fails, kept=False))
    access = Access(faulty, clock=lambda: NOW + seconds, random_bytes=secrets.token_bytes)  # type: ignore[arg-type]
    said = [repr(new), json.dumps(new.token.to_json())]
    try:
        by = access.authorise(mangle(new.text), scope).actor
        intake_to(faulty).submit(some_entries(count, name), by)
    except TestamurError as exc:
        structlog.get_logger("testamur").error("request failed", code=exc.code, reason=str(exc))
        logging.getLogger("library").exception("of a library")
        said += [str(exc), repr(exc), exc.advice, str(exc.__cause__)]
    said += [stream.getvalue(), *(line.encode().decode() for line in store.log_lines(limit=10**6))]
    stream.seek(0)
    stream.truncate()
    kept = store.token(new.token.id)
    assert kept is not None
    secret = new.text.split("_")[2]
    for text in said:
        for shown in (new.text, secret, secret.upper(), secret[::-1], secret[:12]):
            assert shown not in text
        assert kept[1].hex()[:12] not in text
