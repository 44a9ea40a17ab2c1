"""``testamur commit``: the salt is durable before its entry is seen, and never replaced."""

from __future__ import annotations

import errno
import json
import stat
from pathlib import Path
from threading import Thread

import pytest

from testamur.cli.disk import TEMPORARY_PREFIX, Disk
from testamur.credentials import commitment, locator, profiles, sidecar
from testamur.credentials.locator import Locator
from testamur.ledger.trust import (
    FinalityRule,
    Network,
    NetworkKind,
    TrustedMember,
    TrustFile,
    serialise_trust,
)
from testamur.merkle.hashing import Hash32
from tests.cli.faulty_disk import FaultyDisk
from tests.cli.running import Counter, Run

LEDGER, OTHER_LEDGER = Hash32(b"\x0a" * 32), Hash32(b"\x0b" * 32)


def trust_file(folder: Path, ledger_id: Hash32 = LEDGER) -> Path:
    path = folder / f"trust-{ledger_id.hex()[:4]}.json"
    path.write_bytes(trust_bytes(ledger_id))
    return path


def trust_bytes(ledger_id: Hash32 = LEDGER) -> bytes:
    members = tuple(
        TrustedMember(
            id=number, name=f"M{number}", domain="m.example", witness_key=bytes([number]) * 32
        )
        for number in (1, 2)
    )
    trust = TrustFile(
        network=Network(name="test", kind=NetworkKind.LOCAL),
        chain_id=1,
        genesis=bytes(32),
        contract=bytes(20),
        ledger_id=ledger_id,
        finality=FinalityRule(depth=None),
        threshold=1,
        members=members,
    )
    return serialise_trust(trust)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an empty folder for credentials."""
    path = tmp_path / "credentials"
    path.mkdir()
    return path


@pytest.fixture
def target(tmp_path: Path) -> tuple[object, ...]:
    """Give the options that name ledger and member."""
    return ("--trust", trust_file(tmp_path), "--member", 1, "--json")


def diploma(folder: Path, content: bytes = b'{"degree": 1.0}', name: str = "diploma.json") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def sidecars(folder: Path) -> list[Path]:
    return sorted(folder.glob("*" + sidecar.SUFFIX))


def temporaries(folder: Path) -> list[Path]:
    return sorted(folder.glob(TEMPORARY_PREFIX + "*"))


def test_a_sidecar_holds_everything_that_gives_the_entry(
    testamur: Run, folder: Path, target: tuple[object, ...]
) -> None:
    file = diploma(folder)
    result = testamur("commit", file, *target)
    assert result.code == 0
    (row,) = result.rows
    (path,) = sidecars(folder)
    assert path.name == "diploma.json.0a0a0a0a0a0a0a0a-1.testamur.json"
    made = sidecar.parse(path.read_bytes())
    assert path.read_bytes() == sidecar.serialise(made)
    assert (made.ledger_id, made.member, made.profile) == (LEDGER, 1, "jcs-sha256")
    assert made.salt == (1).to_bytes(32, "big")
    assert made.digest == profiles.digest(file.read_bytes(), "jcs-sha256")
    assert row == {
        "file": str(file),
        "profile": "jcs-sha256",
        "entry": made.entry.hex(),
        "sidecar": str(path),
        "reused": False,
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert temporaries(folder) == []


def test_a_second_commit_reuses_the_sidecar_and_draws_no_salt(
    testamur: Run, folder: Path, target: tuple[object, ...]
) -> None:
    file = diploma(folder)
    first = testamur("commit", file, *target)
    before = sidecars(folder)[0].read_bytes()
    # Another spelling of the same JSON is the same credential under its profile.
    file.write_bytes(b'{ "degree":1 }')
    random_bytes = Counter()
    second = testamur("commit", file, *target, random_bytes=random_bytes)
    assert second.code == 0
    assert second.rows == [{**first.rows[0], "reused": True}]
    assert random_bytes.drawn == 0
    assert sidecars(folder)[0].read_bytes() == before


@pytest.mark.parametrize("content", [b'{"degree": 2.0}', b"no longer JSON", b'{"a":1,"a":1}'])
def test_a_changed_file_is_refused_with_advice(
    testamur: Run, folder: Path, target: tuple[object, ...], content: bytes
) -> None:
    file = diploma(folder)
    testamur("commit", file, *target)
    before = sidecars(folder)[0].read_bytes()
    file.write_bytes(content)
    result = testamur("commit", file, *target)
    assert result.code == 2
    assert result.rows[0]["error"]["code"] == "credential_changed"
    assert "new name" in result.rows[0]["error"]["advice"]
    assert sidecars(folder)[0].read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"x" * 5000, b"{}"])
def test_a_damaged_sidecar_is_refused_and_never_replaced(
    testamur: Run, folder: Path, target: tuple[object, ...], content: bytes
) -> None:
    file = diploma(folder)
    testamur("commit", file, *target)
    (path,) = sidecars(folder)
    path.write_bytes(content)
    result = testamur("commit", file, *target)
    assert result.code == 2
    assert result.rows[0]["error"]["code"] == "sidecar_format"
    assert "backup" in result.rows[0]["error"]["advice"]
    assert path.read_bytes() == content


def test_a_sidecar_under_the_name_of_another_ledger_is_refused(
    testamur: Run, folder: Path, target: tuple[object, ...]
) -> None:
    file = diploma(folder)
    wrong = sidecar.make(
        ledger_id=LEDGER, member=2, profile="jcs-sha256", salt=bytes(32), digest=bytes(32)
    )
    name = sidecar.file_name(file.name, ledger_id=LEDGER, member=1)
    (folder / name).write_bytes(sidecar.serialise(wrong))
    result = testamur("commit", file, *target)
    assert result.rows[0]["error"]["code"] == "sidecar_format"


def test_a_trial_on_another_ledger_does_not_stand_in_the_way(
    testamur: Run, folder: Path, tmp_path: Path
) -> None:
    file = diploma(folder)
    for ledger, member in [(OTHER_LEDGER, 1), (LEDGER, 1), (LEDGER, 2)]:
        trust = trust_file(tmp_path, ledger)
        assert testamur("commit", file, "--trust", trust, "--member", member).code == 0
    entries = {sidecar.parse(path.read_bytes()).entry for path in sidecars(folder)}
    assert len(entries) == 3


def test_another_profile_than_the_committed_one_is_refused(
    testamur: Run, folder: Path, target: tuple[object, ...]
) -> None:
    file = diploma(folder)
    testamur("commit", file, *target)
    assert testamur("commit", file, *target, "--profile", "jcs-sha256").code == 0
    result = testamur("commit", file, *target, "--profile", "bytes-sha256")
    assert result.rows[0]["error"]["code"] == "profile_conflict"


def test_a_bad_file_does_not_stop_the_others(
    testamur: Run, folder: Path, target: tuple[object, ...]
) -> None:
    bad = diploma(folder, b'{"a":1,"a":2}', "bad.json")
    good = diploma(folder)
    result = testamur("commit", bad, folder / "missing", good, *target)
    assert result.code == 2
    assert ["error" in row for row in result.rows] == [True, True, False]
    assert len(sidecars(folder)) == 1
    assert "1 committed" in result.err


def test_one_file_named_twice_gets_one_sidecar(
    testamur: Run, folder: Path, target: tuple[object, ...]
) -> None:
    file = diploma(folder)
    result = testamur("commit", file, f"{folder}/../{folder.name}/{file.name}", *target)
    assert result.code == 0
    assert len({row["entry"] for row in result.rows}) == 1
    assert len(sidecars(folder)) == 1


def test_sidecars_in_a_pattern_are_left_out(
    testamur: Run, folder: Path, target: tuple[object, ...]
) -> None:
    diploma(folder)
    testamur("commit", *folder.iterdir(), *target)
    result = testamur("commit", *folder.iterdir(), *target)
    assert (result.code, len(result.rows)) == (0, 1)
    assert "left out 1 files that commands made" in result.err
    assert testamur("commit", *sidecars(folder), *target).code == 2


def test_many_files_get_a_sidecar_each(
    testamur: Run, folder: Path, target: tuple[object, ...]
) -> None:
    files = [diploma(folder, b"%d" % number, f"{number}.txt") for number in range(600)]
    result = testamur("commit", *files, *target)
    assert result.code == 0
    assert [row["file"] for row in result.rows] == [str(file) for file in files]
    salts = {sidecar.parse(path.read_bytes()).salt for path in sidecars(folder)}
    assert len(salts) == 600


def test_usage_errors(testamur: Run, folder: Path, tmp_path: Path) -> None:
    file, trust = diploma(folder), trust_file(tmp_path)
    broken = tmp_path / "broken.json"
    broken.write_bytes(b"{}")
    for options in (
        (),
        ("--trust", trust),
        ("--trust", trust, "--member", 3),
        ("--trust", trust, "--member", 0),
        ("--trust", trust, "--member", "one"),
        ("--trust", trust, "--member", 1, "--node", "http://127.0.0.1:1"),
        ("--trust", tmp_path / "missing", "--member", 1),
        ("--trust", broken, "--member", 1),
        ("--trust", trust, "--member", 1, "--profile", "sha256"),
        ("--node", "ftp://node.example"),
    ):
        result = testamur("commit", file, *options)
        assert (result.code, result.out) == (2, ""), options
    assert testamur("commit", "-", "--trust", trust, "--member", 1).code == 2
    assert sidecars(folder) == []


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("step", ["write", "publish", "sync"])
def test_a_write_that_fails_shows_no_entry_and_the_next_run_resumes(
    testamur: Run, folder: Path, target: tuple[object, ...], step: str, *, kept: bool
) -> None:
    file = diploma(folder)
    disk = FaultyDisk(step, kept=kept)
    random_bytes = Counter()
    for _ in range(2):  # fails, and fails again where the first failure left things
        failed = testamur("commit", file, *target, disk=disk, random_bytes=random_bytes)
        visible = sidecars(folder)
        if (step, kept) == ("publish", True) and failed.code == 0:
            break  # the name was kept, so the second run found it
        assert failed.code == 3
        assert [set(row) for row in failed.rows] == [{"file", "error"}]
        assert failed.rows[0]["error"]["code"] == "sidecar_storage"
    disk.broken = False
    resumed = testamur("commit", file, *target, disk=disk, random_bytes=random_bytes)
    assert resumed.code == 0
    made = sidecar.parse(sidecars(folder)[0].read_bytes())
    assert resumed.rows[0]["entry"] == made.entry.hex()
    assert resumed.rows[0]["reused"] == bool(visible)


def test_a_sidecar_that_cannot_be_read_is_not_replaced(
    testamur: Run, folder: Path, target: tuple[object, ...]
) -> None:
    file = diploma(folder)
    first = testamur("commit", file, *target)
    result = testamur("commit", file, *target, disk=FaultyDisk("read", kept=False))
    assert result.rows[0]["error"]["code"] == "sidecar_storage"
    assert testamur("commit", file, *target).rows[0]["entry"] == first.rows[0]["entry"]


def test_a_name_too_long_for_a_sidecar_is_an_error(
    testamur: Run, folder: Path, target: tuple[object, ...]
) -> None:
    file = diploma(folder, name="n" * 240)
    result = testamur("commit", file, *target)
    assert result.rows[0]["error"]["code"] == "sidecar_storage"
    assert temporaries(folder) == []


class DiskWithoutLinks(Disk):
    """A file system such as FAT: ``link`` is not permitted."""

    def link(self, existing: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, f"no link from {existing} to {target}")


def test_a_disk_without_links_is_no_obstacle_and_overwrites_nothing(tmp_path: Path) -> None:
    disk, target = DiskWithoutLinks(), tmp_path / "target"
    disk.publish(disk.write_temporary(tmp_path, b"first"), target)
    assert target.read_bytes() == b"first"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        disk.publish(disk.write_temporary(tmp_path, b"second"), target)
    assert target.read_bytes() == b"first"
    assert temporaries(tmp_path) == []


class MeddlingDisk(Disk):
    """Another process commits the same file between our look and our write."""

    def __init__(self, winner: bytes) -> None:
        self.winner = winner

    def publish(self, temporary: Path, target: Path) -> None:
        target.write_bytes(self.winner)
        super().publish(temporary, target)


def test_when_another_process_is_first_its_sidecar_is_taken(
    testamur: Run, folder: Path, target: tuple[object, ...]
) -> None:
    file = diploma(folder)
    winner = sidecar.make(
        ledger_id=LEDGER,
        member=1,
        profile="jcs-sha256",
        salt=b"w" * 32,
        digest=profiles.digest(file.read_bytes(), "jcs-sha256"),
    )
    result = testamur("commit", file, *target, disk=MeddlingDisk(sidecar.serialise(winner)))
    assert (result.code, result.rows[0]["entry"]) == (0, winner.entry.hex())
    assert result.rows[0]["reused"] is True


def test_eight_writers_of_one_name_leave_one_whole_file(tmp_path: Path) -> None:
    disk, target = Disk(), tmp_path / "target"
    lost = []

    def write(number: int) -> None:
        try:
            disk.publish(disk.write_temporary(tmp_path, b"%d" % number * 1000), target)
        except FileExistsError:
            lost.append(number)

    threads = [Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lost) == 7
    assert len(set(target.read_bytes())) == 1
    assert temporaries(tmp_path) == []


def test_no_digest_and_no_salt_is_printed(
    testamur: Run, folder: Path, target: tuple[object, ...]
) -> None:
    result = testamur("commit", diploma(folder), *target)
    made = sidecar.parse(sidecars(folder)[0].read_bytes())
    for secret in (made.salt.hex(), made.digest.hex()):
        assert secret not in result.out + result.err
    assert made.entry == commitment.entry(
        ledger_id=LEDGER, member=1, profile="jcs-sha256", salt=made.salt, digest=made.digest
    )


def test_people_get_a_line_for_each_file(testamur: Run, folder: Path, tmp_path: Path) -> None:
    file = diploma(folder)
    options = ("--trust", trust_file(tmp_path), "--member", 2)
    words = [testamur("commit", file, *options).out.split() for _ in range(2)]
    entry = json.loads(sidecars(folder)[0].read_bytes())["entry"]
    assert words == [["new", entry, str(file)], ["kept", entry, str(file)]]


def located(salt: bytes, *, ledger: Hash32 = LEDGER, member: int = 1) -> str:
    return locator.serialise(Locator(ledger, member, Hash32(salt)))


def test_the_salt_of_a_locator_in_the_file_is_used(
    testamur: Run, folder: Path, target: tuple[object, ...]
) -> None:
    salt, random_bytes = b"\xc0" * 32, Counter()
    contents = {
        "a.json": json.dumps({"link": f"https://v.example/#{located(salt)}"}).encode(),
        "b.pdf": b"%PDF-1.7 " + located(b"\xc1" * 32).encode() + b" \xff",
    }
    files = [diploma(folder, content, name) for name, content in contents.items()]
    result = testamur("commit", *files, *target, random_bytes=random_bytes)
    assert (result.code, random_bytes.drawn) == (0, 0)
    made = [sidecar.parse(Path(row["sidecar"]).read_bytes()) for row in result.rows]
    assert [one.salt for one in made] == [salt, b"\xc1" * 32]
    assert [one.profile for one in made] == ["jcs-sha256", "bytes-sha256"]
    again = testamur("commit", *files, *target)
    assert [row["reused"] for row in again.rows] == [True, True]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (located(b"1" * 32, ledger=OTHER_LEDGER), "foreign_locator"),
        (located(b"1" * 32, member=2), "foreign_locator"),
        (located(b"1" * 32) + located(b"2" * 32), "several_locators"),
        (located(b"1" * 32)[:-1], "locator_format"),
    ],
)
def test_a_locator_that_does_not_fit_is_refused_and_nothing_is_written(
    testamur: Run, folder: Path, target: tuple[object, ...], text: str, code: str
) -> None:
    good = diploma(folder)
    bad = diploma(folder, b"%PDF " + text.encode(), "bad.pdf")
    result = testamur("commit", bad, good, *target)
    assert result.code == 2
    assert result.rows[0]["error"]["code"] == code
    assert result.rows[0]["error"]["advice"]
    assert [path.name[:4] for path in sidecars(folder)] == ["dipl"]


def test_a_file_with_a_locator_is_committed_under_its_detected_profile_alone(
    testamur: Run, folder: Path, target: tuple[object, ...]
) -> None:
    file = diploma(folder, json.dumps({"link": located(b"1" * 32)}).encode())
    result = testamur("commit", file, *target, "--profile", "bytes-sha256")
    assert (result.code, result.rows[0]["error"]["code"]) == (2, "locator_profile")
    assert sidecars(folder) == []
    assert testamur("commit", file, *target, "--profile", "jcs-sha256").code == 0


def test_a_template_that_was_copied_with_its_locator_is_found_out(
    testamur: Run, folder: Path, target: tuple[object, ...]
) -> None:
    text = located(b"1" * 32).encode()
    names = [f"{number}.pdf" for number in range(300)]  # more than one group
    first = diploma(folder, b"first " + text, names[0])
    copies = [diploma(folder, b"first " + text, names[1])]  # the same credential once more
    others = [diploma(folder, name.encode() + text, name) for name in names[2:]]
    for _ in range(2):  # in the next run, too
        result = testamur("commit", first, *copies, *others, *target)
        assert result.code == 2
        refused = [row["error"]["code"] for row in result.rows if "error" in row]
        assert refused == ["reused_locator"] * len(others)
        assert "0.pdf" in result.rows[2]["error"]["detail"]
        assert len(sidecars(folder)) == 2
    assert (b"1" * 32).hex() not in result.out + result.err
