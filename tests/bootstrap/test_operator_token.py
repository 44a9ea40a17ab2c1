"""The first token of a trial: one, in one file, whatever fails on the way to it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testamur.bootstrap.operator_token import FILE_NAME, operator_token
from testamur.errors import ConfigurationError, ScopeMissingError, StoreUnavailableError
from testamur.ledger.operator_log import COMMAND_LINE
from testamur.service.access import Access, TokenRequest
from testamur.storage.filesystem import LocalFileSystem
from testamur.storage.sql.store import SqlStore, open_store
from tests.support.faulty import Fault, FaultyFileSystem, FaultyStore
from tests.support.stored import IDENTITY

NOW = 20_000 * 86_400.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with open_store(tmp_path) as store:
        store.bind_identity(IDENTITY)
        yield store


def access_to(store: Any) -> Access:
    return Access(store, clock=lambda: NOW, random_bytes=secrets.token_bytes)


def made(store: Any, tmp_path: Path, disk: Any = None) -> Path | None:
    return operator_token(access_to(store), tmp_path, disk or LocalFileSystem())


def assert_one_good_token(store: SqlStore, tmp_path: Path) -> None:
    path = made(store, tmp_path)
    assert path == tmp_path / FILE_NAME
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text().strip()
    (token,) = store.tokens()
    for scope in ("submit", "audit", "admin"):
        assert access_to(store).authorise(text, scope) == token  # type: ignore[arg-type]
    with pytest.raises(ScopeMissingError):
        access_to(store).authorise(text, "status:any")


def test_it_is_made_once_and_found_ever_after(store: SqlStore, tmp_path: Path) -> None:
    assert_one_good_token(store, tmp_path)
    before = (tmp_path / FILE_NAME).read_bytes()
    assert_one_good_token(store, tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == before


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("step", ["create", "sync", "rename", "sync_directory"])
def test_a_file_that_could_not_be_written_is_no_token(
    store: SqlStore, tmp_path: Path, step: str, *, kept: bool
) -> None:
    with pytest.raises(StoreUnavailableError):
        made(store, tmp_path, FaultyFileSystem(LocalFileSystem(), Fault(step, kept=kept)))
    assert store.tokens() == []
    assert_one_good_token(store, tmp_path)


@pytest.mark.parametrize("kept", [False, True])
def test_a_token_that_could_not_be_kept_is_made_good_by_the_next_start(
    store: SqlStore, tmp_path: Path, *, kept: bool
) -> None:
    with pytest.raises(StoreUnavailableError):
        made(FaultyStore(store, Fault("put_token", kept=kept)), tmp_path)
    assert len(store.tokens()) == kept
    assert_one_good_token(store, tmp_path)


def test_an_operator_who_has_other_tokens_gets_none(store: SqlStore, tmp_path: Path) -> None:
    access_to(store).create(TokenRequest("LMS", ("submit",)), by=COMMAND_LINE)
    assert made(store, tmp_path) is None
    assert not (tmp_path / FILE_NAME).exists()


def test_a_file_that_was_taken_away_is_not_made_again(store: SqlStore, tmp_path: Path) -> None:
    made(store, tmp_path)
    (tmp_path / FILE_NAME).unlink()
    assert made(store, tmp_path) is None
    assert len(store.tokens()) == 1


def test_a_token_that_was_revoked_stays_revoked(store: SqlStore, tmp_path: Path) -> None:
    made(store, tmp_path)
    access_to(store).revoke("operator", by=COMMAND_LINE)
    assert made(store, tmp_path) is None
    (token,) = store.tokens()
    assert token.revoked_at is not None


@pytest.mark.parametrize("content", [b"", b"s3cret", b"\xff"])
def test_a_file_with_something_else_is_named_and_not_shown(
    store: SqlStore, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"operator\.token") as caught:
        made(store, tmp_path)
    assert "s3cret" not in str(caught.value)
    assert store.tokens() == []


def test_a_file_that_cannot_be_read_is_no_file_that_is_not_there(
    store: SqlStore, tmp_path: Path
) -> None:
    faulty = FaultyFileSystem(LocalFileSystem(), Fault("read", kept=False))
    with pytest.raises(StoreUnavailableError):
        made(store, tmp_path, faulty)
    assert store.tokens() == []
