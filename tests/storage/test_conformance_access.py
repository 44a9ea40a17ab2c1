"""What every store does with tokens, quotas and the operator log."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from testamur.errors import (
    ImmutableConflictError,
    QueueFullError,
    QuotaExceededError,
    StateConflictError,
    TokenInvalidError,
    TokenNameTakenError,
    UnknownTokenError,
)
from testamur.ledger.operator_log import ANYONE, COMMAND_LINE, NODE, Act, Actor, follow, origin
from testamur.storage.model import AddResult
from testamur.storage.tokens import DAY_SECONDS, Terms
from tests.support.stored import IDENTITY, a_token, digest, some_entries

if TYPE_CHECKING:
    from testamur.storage.interface import Store

DAY = 20_000 * DAY_SECONDS
SECRET = digest("secret")


def terms(by: Actor = ANYONE, *, queue_entries_max: int = 10**6) -> Terms:
    return Terms(by, queue_entries_max, 30)


def acts(store: Store) -> list[tuple[str, dict[str, Any]]]:
    """Give what the log holds, after its chain was followed from its origin."""
    lines = list(store.log_lines(limit=1000))
    followed = list(follow(lines, origin(IDENTITY.ledger_id, IDENTITY.member)))
    assert store.log_end() == (len(lines), lines[-1].hash() if lines else None)
    return [(line.act.name, dict(line.act.details)) for line in followed]


@pytest.fixture
def bound(store: Store) -> Store:
    store.bind_identity(IDENTITY)
    return store


def test_a_token_is_kept_with_its_line_and_survives(reopen: Callable[[], Store]) -> None:
    store = reopen()
    store.bind_identity(IDENTITY)
    token = a_token(scopes=("submit", "audit"), expires_at=1_900_000_000, quota_per_day=7)
    store.put_token(token, SECRET, by=COMMAND_LINE)
    store.put_token(token, SECRET, by=COMMAND_LINE)
    store = reopen()
    assert store.token(token.id) == (token, SECRET)
    assert store.tokens() == [token]
    told = {
        "id": token.id,
        "name": "LMS",
        "scopes": ("submit", "audit"),
        "expires_at": 1_900_000_000,
        "quota_per_day": 7,
    }
    assert acts(store) == [("token_created", told)]
    assert store.token("unknown") is None


def test_another_token_with_the_id_or_with_the_name_is_refused(bound: Store) -> None:
    bound.put_token(a_token(), SECRET, by=COMMAND_LINE)
    with pytest.raises(ImmutableConflictError):
        bound.put_token(a_token(), digest("other"), by=COMMAND_LINE)
    with pytest.raises(TokenNameTakenError):
        bound.put_token(a_token(id="0123456789"), SECRET, by=COMMAND_LINE)
    assert len(acts(bound)) == 1


def test_a_token_is_revoked_once_and_its_name_is_free_again(bound: Store) -> None:
    token = a_token()
    bound.put_token(token, SECRET, by=COMMAND_LINE)
    assert bound.revoke_token(token.id, at=5, by=COMMAND_LINE).revoked_at == 5
    assert bound.revoke_token(token.id, at=9, by=COMMAND_LINE).revoked_at == 5
    assert [one.revoked_at for one in bound.tokens()] == [5]
    assert [name for name, _ in acts(bound)] == ["token_created", "token_revoked"]
    bound.put_token(a_token(id="0123456789"), SECRET, by=COMMAND_LINE)
    with pytest.raises(UnknownTokenError):
        bound.revoke_token("never", at=5, by=COMMAND_LINE)


def test_a_store_without_a_ledger_has_no_tokens_and_no_log(store: Store) -> None:
    with pytest.raises(StateConflictError):
        store.put_token(a_token(), SECRET, by=COMMAND_LINE)
    with pytest.raises(StateConflictError):
        store.record_act(Act(NODE, "node_started", 1, {}))
    assert (store.tokens(), store.log_lines(), store.log_end()) == ([], [], (0, None))


def test_a_secret_of_another_length_is_refused(bound: Store) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        bound.put_token(a_token(), SECRET[:31], by=COMMAND_LINE)  # type: ignore[arg-type]
    assert bound.tokens() == []


def test_a_quota_counts_what_is_new_and_nothing_else(bound: Store) -> None:
    token = a_token(quota_per_day=10)
    bound.put_token(token, SECRET, by=COMMAND_LINE)
    by = terms(token.actor)
    assert bound.add_entries(some_entries(6), submitted_at=DAY, terms=by) == AddResult(6, 0)
    assert bound.add_entries(some_entries(6), submitted_at=DAY, terms=by) == AddResult(0, 6)
    assert bound.add_entries(some_entries(8), submitted_at=DAY, terms=by) == AddResult(2, 6)
    with pytest.raises(QuotaExceededError, match="2 are left; the submission has 3") as caught:
        bound.add_entries(some_entries(11), submitted_at=DAY + 600, terms=by)
    assert caught.value.retry_after_seconds == DAY_SECONDS - 600
    assert bound.queue().count == bound.totals().accepted == 8
    assert bound.add_entries(some_entries(10), submitted_at=DAY, terms=by) == AddResult(2, 8)
    assert bound.add_entries(some_entries(10), submitted_at=DAY, terms=by) == AddResult(0, 10)


def test_a_quota_is_kept_over_a_restart_and_begins_anew_with_the_day(
    reopen: Callable[[], Store],
) -> None:
    store = reopen()
    store.bind_identity(IDENTITY)
    token = a_token(quota_per_day=5)
    store.put_token(token, SECRET, by=COMMAND_LINE)
    end = DAY + DAY_SECONDS - 1
    store.add_entries(some_entries(5), submitted_at=end, terms=terms(token.actor))
    store = reopen()
    with pytest.raises(QuotaExceededError) as caught:
        store.add_entries(some_entries(1, "more"), submitted_at=end, terms=terms(token.actor))
    assert caught.value.retry_after_seconds == 1
    more = some_entries(5, "more")
    assert store.add_entries(more, submitted_at=end + 1, terms=terms(token.actor)).added == 5


def test_each_token_has_a_quota_of_its_own(bound: Store) -> None:
    one, two = a_token("one", quota_per_day=3), a_token("two", quota_per_day=3)
    for number, token in enumerate((one, two)):
        bound.put_token(token, SECRET, by=COMMAND_LINE)
        entries = some_entries(3, f"of {number}")
        assert bound.add_entries(entries, submitted_at=DAY, terms=terms(token.actor)).added == 3
    assert bound.add_entries(some_entries(99), submitted_at=DAY, terms=terms()).added == 99


def test_a_token_that_was_revoked_on_the_way_takes_nothing(bound: Store) -> None:
    token = a_token()
    bound.put_token(token, SECRET, by=COMMAND_LINE)
    bound.revoke_token(token.id, at=DAY, by=COMMAND_LINE)
    for actor in (token.actor, Actor("token", "0123456789", "never made")):
        with pytest.raises(TokenInvalidError):
            bound.add_entries(some_entries(3), submitted_at=DAY, terms=terms(actor))
    assert bound.queue().count == 0


def test_a_full_queue_takes_nothing_new_until_it_is_sealed(bound: Store) -> None:
    limited = terms(queue_entries_max=10)
    bound.add_entries(some_entries(8), submitted_at=1, terms=limited)
    with pytest.raises(QueueFullError) as caught:
        bound.add_entries(some_entries(11), submitted_at=1, terms=limited)
    assert caught.value.retry_after_seconds == 30
    assert bound.queue().count == bound.totals().accepted == 8
    assert bound.add_entries(some_entries(10), submitted_at=1, terms=limited).added == 2
    assert bound.add_entries(some_entries(10), submitted_at=1, terms=limited).known == 10
    claim = bound.claim(limit=4, now=2)
    assert claim is not None
    bound.seal(claim.number, root=digest("root"), count=4, sealed_at=3)
    assert bound.add_entries(some_entries(14), submitted_at=1, terms=limited).added == 4
    with pytest.raises(QueueFullError):
        bound.add_entries(some_entries(1, "more"), submitted_at=1, terms=limited)


def test_submissions_are_counted_by_actor_and_minute(reopen: Callable[[], Store]) -> None:
    store = reopen()
    store.bind_identity(IDENTITY)
    token = a_token()
    store.put_token(token, SECRET, by=COMMAND_LINE)
    for number, (at, by) in enumerate(
        [(DAY, ANYONE), (DAY + 59, token.actor), (DAY + 59, ANYONE), (DAY + 59, ANYONE)]
    ):
        store.add_entries(some_entries(number + 1), submitted_at=at, terms=terms(by))
    assert len(acts(store)) == 1
    store = reopen()
    store.settle_submissions(before=DAY + 59)
    assert len(acts(store)) == 1
    store.settle_submissions(before=DAY + 60)
    store.settle_submissions(before=DAY + 60)
    lines = store.log_lines(start=1)
    assert {line.act.name for line in lines} == {"entries_submitted"}
    assert [(line.act.actor, line.act.time, dict(line.act.details)) for line in lines] == [
        (token.actor, DAY + 60, {"minute": DAY, "requests": 1, "added": 1, "known": 1}),
        (ANYONE, DAY + 60, {"minute": DAY, "requests": 3, "added": 3, "known": 5}),
    ]
    assert acts(store)


def test_the_counts_of_a_minute_are_bound_in_by_the_first_submission_after_it(
    bound: Store,
) -> None:
    bound.add_entries(some_entries(1), submitted_at=DAY, terms=terms())
    bound.add_entries(some_entries(1, "late"), submitted_at=DAY + 60, terms=terms())
    assert acts(bound) == [
        ("entries_submitted", {"minute": DAY, "requests": 1, "added": 1, "known": 0})
    ]
    bound.record_act(Act(NODE, "node_stopped", DAY + 130, {}))
    assert [name for name, _ in acts(bound)] == ["entries_submitted"] * 2 + ["node_stopped"]


def test_what_was_refused_is_not_counted(bound: Store) -> None:
    token = a_token(quota_per_day=1)
    bound.put_token(token, SECRET, by=COMMAND_LINE)
    with pytest.raises(QuotaExceededError):
        bound.add_entries(some_entries(2), submitted_at=DAY, terms=terms(token.actor))
    bound.settle_submissions(before=DAY + 60)
    assert len(acts(bound)) == 1


def test_the_same_act_again_adds_nothing(bound: Store) -> None:
    started = Act(NODE, "node_started", 5, {"version": "1", "unsafe": ("open_submission",)})
    bound.record_act(started)
    bound.record_act(started)
    assert len(acts(bound)) == 1
    bound.record_act(Act(NODE, "node_started", 6, dict(started.details)))
    bound.record_act(Act(COMMAND_LINE, "node_started", 6, dict(started.details)))
    assert len(acts(bound)) == 3


def test_the_log_is_read_in_pages(bound: Store) -> None:
    for number in range(7):
        bound.record_act(Act(NODE, "node_started", number, {}))
    pages = [bound.log_lines(start=start, limit=3) for start in (0, 3, 6, 7, 99)]
    assert [[line.index for line in page] for page in pages] == [[0, 1, 2], [3, 4, 5], [6], [], []]
