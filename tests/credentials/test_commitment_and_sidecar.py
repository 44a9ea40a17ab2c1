"""Commitments bind every field; sidecars give back exactly what was committed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.credentials import commitment, profiles, sidecar
from testamur.errors import SidecarFormatError
from testamur.merkle.hashing import Hash32

HASHES = st.binary(min_size=32, max_size=32).map(Hash32)
MEMBERS = st.integers(1, commitment.MEMBER_MAX)
SIDECARS = st.builds(
    sidecar.make,
    ledger_id=HASHES,
    member=MEMBERS,
    profile=st.sampled_from(sorted(profiles.PROFILES)),
    salt=HASHES,
    digest=HASHES,
)


@given(SIDECARS, SIDECARS)
def test_every_field_changes_the_entry(one: sidecar.Sidecar, other: sidecar.Sidecar) -> None:
    for name in ("ledger_id", "member", "profile", "salt", "digest"):
        fields = {
            field: getattr(other if field == name else one, field)
            for field in ("ledger_id", "member", "profile", "salt", "digest")
        }
        same = getattr(one, name) == getattr(other, name)
        assert (commitment.entry(**fields) == one.entry) == same


@given(SIDECARS)
def test_a_sidecar_is_read_back_as_written(made: sidecar.Sidecar) -> None:
    written = sidecar.serialise(made)
    assert sidecar.parse(written) == made
    assert len(written) <= sidecar.BYTES_MAX
    assert sidecar.serialise(sidecar.parse(written)) == written


@given(SIDECARS, st.data())
def test_one_altered_byte_is_noticed(made: sidecar.Sidecar, data: st.DataObject) -> None:
    written = bytearray(sidecar.serialise(made))
    position = data.draw(st.integers(0, len(written) - 1))
    written[position] = data.draw(st.integers(0, 255))
    try:
        found = sidecar.parse(bytes(written))
    except SidecarFormatError:
        return
    assert found == made  # white space became other white space, or the byte stayed


def test_salt_and_digest_do_not_appear_in_logs() -> None:
    made = sidecar.make(
        ledger_id=bytes(32), member=1, profile="jcs-sha256", salt=b"s" * 32, digest=b"d" * 32
    )
    assert "ssss" not in repr(made)
    assert "dddd" not in repr(made)


def test_sidecars_of_two_ledgers_or_members_stand_side_by_side() -> None:
    one, other = Hash32(b"\x01" * 32), Hash32(b"\x02" * 32)
    names = {
        sidecar.file_name("diploma.pdf", ledger_id=ledger, member=member)
        for ledger in (one, other)
        for member in (1, 2)
    }
    assert len(names) == 4
    assert "diploma.pdf.0101010101010101-2.testamur.json" in names


def test_a_sidecar_cannot_be_made_to_contradict_itself_unnoticed() -> None:
    made = sidecar.make(
        ledger_id=bytes(32), member=1, profile="jcs-sha256", salt=bytes(32), digest=bytes(32)
    )
    forged = replace(made, entry=Hash32(b"\x01" * 32))
    with pytest.raises(SidecarFormatError, match="contradicts itself"):
        sidecar.parse(sidecar.serialise(forged))
