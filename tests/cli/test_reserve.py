"""``testamur reserve``: locators that no credential holds yet, written whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import stat
from pathlib import Path

import pytest
import segno

from testamur.cli.reservation import COUNT_MAX, LINK_BASE_MAX, SCALE
from testamur.credentials import locator
from testamur.credentials.locator import Locator
from testamur.merkle.hashing import Hash32
from tests.cli.faulty_disk import FaultyDisk
from tests.cli.running import Run
from tests.cli.test_commit import LEDGER, diploma, temporaries, trust_bytes, trust_file
from tests.support.canned_server import CannedServer, reply

BASE = "https://verify.uni-a.example/"


@pytest.fixture
def trusted(tmp_path: Path) -> tuple[object, ...]:
    """Give the options that name ledger and member."""
    return ("--trust", trust_file(tmp_path), "--member", 2)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give an empty folder."""
    path = tmp_path / "place"
    path.mkdir()
    return path


def expected(number: int) -> str:
    """Give the locator whose salt was drawn as that number."""
    return locator.serialise(Locator(LEDGER, 2, Hash32(number.to_bytes(32, "big"))))


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"), newline="")))


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_locators_go_to_standard_output_a_line_each(
    testamur: Run, trusted: tuple[object, ...]
) -> None:
    done = testamur("reserve", 3, *trusted)
    assert (done.code, done.out.splitlines()) == (0, [expected(n) for n in (1, 2, 3)])
    assert "secret" in done.err
    told = testamur("reserve", 2, *trusted, "--link-base", BASE, "--json").rows
    assert told[1] == {
        "number": 2,
        "locator": expected(2),
        "link": f"{BASE}#{expected(2)}",
        "qr": None,
    }
    assert testamur("reserve", 1, *trusted, "--json").rows[0]["link"] is None


def test_a_reserved_locator_is_what_commit_uses(
    testamur: Run, trusted: tuple[object, ...], place: Path
) -> None:
    text = testamur("reserve", 1, *trusted).out.strip()
    file = diploma(place, b"%PDF " + text.encode(), "a.pdf")
    (row,) = testamur("commit", file, *trusted, "--json").rows
    assert json.loads(Path(row["sidecar"]).read_bytes())["salt"] == text.rpartition(":")[2]


def test_the_list_and_the_images_belong_together_and_are_secret(
    testamur: Run, trusted: tuple[object, ...], place: Path
) -> None:
    made, codes = place / "reserved.csv", place / "sub" / "codes"
    codes.parent.mkdir()
    done = testamur("reserve", 12, *trusted, "--csv", made, "--qr", codes, "--link-base", BASE)
    assert (done.code, done.out) == (0, "")
    assert [row["number"] for row in rows(made)] == [str(number) for number in range(1, 13)]
    for number, row in enumerate(rows(made), start=1):
        assert list(row) == ["number", "locator", "link", "qr"]
        assert row["locator"] == expected(number)
        assert row["link"] == f"{BASE}#{expected(number)}"
        assert row["qr"] == f"sub/codes/{number:02}.png"
        image = io.BytesIO()
        segno.make_qr(row["link"], error="m").save(image, kind="png", scale=SCALE)
        assert (place / row["qr"]).read_bytes() == image.getvalue()
    assert everything_in(codes) == [f"{number:02}.png" for number in range(1, 13)]
    for path in (made, *codes.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(codes.stat().st_mode) == 0o700
    assert temporaries(place) == temporaries(codes.parent) == []


def test_images_for_print_are_svg(testamur: Run, trusted: tuple[object, ...], place: Path) -> None:
    codes = place / "codes"
    codes.mkdir()  # an empty folder may be there
    options = ("--qr", codes, "--svg", "--link-base", BASE, "--json")
    told = testamur("reserve", 2, *trusted, *options).rows
    assert [row["qr"] for row in told] == [str(codes / "1.svg"), str(codes / "2.svg")]
    assert (codes / "1.svg").read_bytes().startswith(b"<?xml")


def test_nothing_that_is_there_is_written_over(
    testamur: Run, trusted: tuple[object, ...], place: Path
) -> None:
    made, codes = place / "reserved.csv", place / "codes"
    both = ("--csv", made, "--qr", codes, "--link-base", BASE)
    assert testamur("reserve", 1, *trusted, *both).code == 0
    before = {path: path.read_bytes() for path in (made, codes / "1.png")}
    for options in (both, ("--csv", made), ("--csv", place / "new.csv", *both[2:])):
        done = testamur("reserve", 1, *trusted, *options)
        assert (done.code, done.out) == (2, "")
        assert "over nothing" in done.err
    assert {path: path.read_bytes() for path in before} == before
    assert everything_in(place) == ["codes", "codes/1.png", "reserved.csv"]
    (place / "file").write_bytes(b"")
    assert testamur("reserve", 1, *trusted, *both[4:], "--qr", place / "file").code == 2


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize(
    "step", ["write", "make", "create", "sync", "publish_directory", "publish"]
)
@pytest.mark.parametrize("spared", [0, 1])
def test_a_write_that_fails_leaves_nothing_half_and_gives_no_locator(
    testamur: Run, trusted: tuple[object, ...], place: Path, step: str, spared: int, *, kept: bool
) -> None:
    made, codes = place / "reserved.csv", place / "codes"
    options = ("--csv", made, "--qr", codes, "--link-base", BASE, "--json")
    disk = FaultyDisk(step, kept=kept, spared=spared)
    done = testamur("reserve", 2, *trusted, *options, disk=disk)
    if step in {"write", "make", "publish_directory", "publish"} and spared:
        assert (done.code, len(rows(made))) == (0, 2)  # the step is done once only
        return
    assert (done.code, done.out) == (3, "")
    assert "[unwritable_file]" in done.err
    # A hidden file that nobody reads is all that may be left.
    assert len(temporaries(place)) == (kept and step in {"write", "make"})
    # Whatever has its name is whole.
    assert everything_in(codes) in ([], ["1.png", "2.png"])
    if made.exists():
        assert len(rows(made)) == 2
    # And with other names, everything goes well.
    disk.broken = False
    again = ("--csv", place / "again.csv", "--qr", place / "again", "--link-base", BASE)
    assert testamur("reserve", 2, *trusted, *again, disk=disk).code == 0


def test_the_link_leads_to_the_node_unless_another_page_is_named(testamur: Run) -> None:
    own = {"ledger_id": LEDGER.hex(), "member": 2}
    answers = {"/v1/ledger": reply(json.dumps(own).encode()), "/v1/trust": reply(trust_bytes())}
    with CannedServer(answers) as server:
        (row,) = testamur("reserve", 1, "--node", server.url, "--json").rows
        assert row["link"] == f"{server.url}/#{expected(1)}"
        (row,) = testamur("reserve", 1, "--node", server.url, "--link-base", BASE, "--json").rows
        assert row["link"] == f"{BASE}#{expected(1)}"


def test_usage_errors(testamur: Run, trusted: tuple[object, ...], place: Path) -> None:
    for options in (
        (0,),
        (COUNT_MAX + 1,),
        ("many",),
        (1, "--qr", place / "codes"),
        (1, "--svg", "--link-base", BASE),
        (1, "--link-base", "verify.uni-a.example"),
        (1, "--link-base", "ftp://verify.uni-a.example"),
        (1, "--link-base", "https://"),
        (1, "--link-base", "https://[::1"),
        (1, "--link-base", f"{BASE}#x"),
        (1, "--link-base", f"{BASE}a b"),
        (1, "--link-base", f"{BASE}\n"),
        (1, "--link-base", "https://a@verify.uni-a.example/"),
        (1, "--link-base", BASE + "a" * LINK_BASE_MAX),
        (1, "--csv", place / "missing" / "list.csv"),
    ):
        done = testamur("reserve", *options, *trusted)
        assert (done.code, done.out) == (3 if "missing" in str(options) else 2, ""), options
    assert testamur("reserve", 1).code == 2
    assert everything_in(place) == []


def test_the_node_may_stand_in_the_environment_and_gives_way_to_a_trust_file(
    testamur: Run, trusted: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"ledger_id": LEDGER.hex(), "member": 1}
    answers = {"/v1/ledger": reply(json.dumps(own).encode()), "/v1/trust": reply(trust_bytes())}
    with CannedServer(answers) as server:
        monkeypatch.setenv("TESTAMUR_NODE", server.url)
        (row,) = testamur("reserve", 1, "--json").rows
        assert (locator.parse(row["locator"]).member, row["link"]) == (
            1,
            f"{server.url}/#{row['locator']}",
        )
        server.asked.clear()
        (row,) = testamur("reserve", 1, *trusted, "--json").rows
        assert (locator.parse(row["locator"]).member, row["link"]) == (2, None)
        assert server.asked == []
        # Both named by a person are a contradiction.
        assert testamur("reserve", 1, *trusted, "--node", server.url).code == 2
