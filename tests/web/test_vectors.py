"""The verify page reads a credential as Python does: one set of vectors, three readers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import pytest

from testamur.credentials.profiles import PROFILES
from testamur.ledger.bundle import README, make_bundle
from tests.ledger.test_bundle import zipped
from tests.support.chromium import chromium
from tests.support.credential_cases import cases, differences
from tests.support.credential_reader import (
    DRIVERS,
    ROOT,
    STATIC,
    Answer,
    Request,
    node_answers,
    node_process,
    python_answer,
    questions,
    request,
)
from tests.support.samples import require_samples, sample_files
from tests.support.threaded_server import ThreadedServer

VECTORS: Final = cases()
LOCATOR: Final = f"testamur:1:{'ab' * 32}:3:{'01' * 32}"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without telling the terminal of each."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    handler = partial(Quiet, directory=os.fspath(folder))
    with ThreadedServer(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as server:
        yield server.url


def chromium_answers(requests: list[Request]) -> list[Answer]:
    """Answer all requests in a page of Chromium, which loads the modules as a visitor would."""
    driver = f"/{(DRIVERS / 'answers.mjs').relative_to(ROOT)}"
    module = f"/{(STATIC / 'credential.js').relative_to(ROOT)}"
    with served(ROOT) as url, chromium() as browser:
        page = browser.new_page()
        page.goto(f"{url}{module}")  # any page of this origin
        found: list[Answer] = page.evaluate(
            """async ([driver, module, requests]) => {
                const { answers } = await import(driver);
                return answers(await import(module), requests);
            }""",
            [driver, module, requests],
        )
        return found


def compared(requests: list[Request]) -> dict[str, tuple[Answer, Answer]]:
    """Give what Node.js answers otherwise than Python."""
    asked = {f"{one['call']} {at}": (one, python_answer(one)) for at, one in enumerate(requests)}
    return differences(asked, node_answers(requests))


def test_python_answers_every_vector_as_it_says() -> None:
    assert differences(VECTORS, [python_answer(asked) for asked, _ in VECTORS.values()]) == {}


def test_node_answers_every_vector_as_it_says() -> None:
    assert differences(VECTORS, node_answers([asked for asked, _ in VECTORS.values()])) == {}


@pytest.mark.slow  # a browser is started
def test_chromium_answers_every_vector_as_it_says() -> None:
    assert differences(VECTORS, chromium_answers([asked for asked, _ in VECTORS.values()])) == {}


def test_every_sample_is_read_alike_under_every_profile() -> None:
    require_samples()
    files = [path.read_bytes() for path in sample_files()]
    assert compared([q for data in files for name in PROFILES for q in questions(data, name)]) == {}


@pytest.mark.slow  # the largest files are carried over to another process
def test_limits_are_the_same_to_the_byte() -> None:
    def padded(start: bytes, size: int, end: bytes) -> bytes:
        return start + b"A" * (size - len(start) - len(end)) + end

    limit = 4 * 1024 * 1024
    token = b"eyJhbGciOiJub25lIn0."
    shown = b"".join(b"~%06d" % number for number in range(10_001)) + b"~"
    files = [
        (padded(b'{"a":"', limit, b'"}'), "jcs-sha256"),
        (padded(b'{"a":"', limit + 1, b'"}'), "jcs-sha256"),
        (padded(token, limit - 1, b".AA"), "jwt-sha256"),
        (padded(token, limit + 1, b".AAA"), "jwt-sha256"),
        (token + b"e30.AAAA" + shown, "jwt-sha256"),
        (token + b"e30.AAAA" + shown[7:], "jwt-sha256"),
        (b"[" * limit, "jcs-sha256"),
        (b'"' * limit, "jcs-sha256"),
        (b'{"a":' + b"9" * (limit - 6) + b"}", "jcs-sha256"),
        (bytes(16 * limit + 1), "bytes-sha256"),
    ]
    assert compared([request("digest", data, profile=profile) for data, profile in files]) == {}


@pytest.mark.slow  # the largest files are carried over to another process
def test_limits_of_a_bundle_are_the_same_to_the_byte() -> None:
    limit = 4 * 1024 * 1024
    note = ("READ-ME.txt", README.encode())
    parts = [(b"", bytes(limit)), (b"", bytes(limit + 1)), (bytes(16 * limit + 1), b"")]
    made = [zipped(("a", file), ("receipt.json", receipt), note) for file, receipt in parts]
    asked = [request("bundle", data) for data in made]
    fits, *too_large = node_answers(asked)
    assert fits == python_answer(asked[0])
    assert (
        too_large == [python_answer(one) for one in asked[1:]] == [{"error": "bundle_format"}] * 2
    )


def test_a_browser_without_hashes_is_told_so_and_nothing_is_guessed() -> None:
    without = "data:text/javascript,Object.defineProperty(globalThis,'crypto',{value:undefined})"
    done = node_process([request("digest", b"{}", profile="jcs-sha256")], "--import", without)
    assert done.returncode != 0
    assert b"hashing needs WebCrypto" in done.stderr
    assert done.stdout == b""


def test_the_modules_import_only_each_other_and_reach_for_nothing_else() -> None:
    found: set[str] = set()
    left = {"credential.js"}
    while left:
        name = left.pop()
        found.add(name)
        code = re.sub(r"/\*.*?\*/", "", (STATIC / name).read_text("utf-8"), flags=re.DOTALL)
        imported = re.findall(r'\bfrom "([^"]*)"', code)
        assert [one for one in imported if not re.fullmatch(r"\./[\w-]+\.js", one)] == []
        left |= {one[2:] for one in imported} - found
        words = set(re.findall(r"[\w$]+(?=\(|\.)", code))
        assert words & {"import", "fetch", "eval", "Function", "window", "XMLHttpRequest"} == set()
        assert "globalThis" not in words or name == "hashing.js"
    assert len(found) > 10


LINKS: Final = (
    LOCATOR,
    f"{LOCATOR}\n",
    f" {LOCATOR}",
    f"{LOCATOR}9",
    LOCATOR.upper(),
    LOCATOR.replace(":1:", ":2:"),
    LOCATOR.replace(":3:", ":4294967295:"),
    LOCATOR.replace(":3:", ":4294967296:"),
    LOCATOR.replace(":3:", ":\u0663:"),
    f"https://verify.example/#{LOCATOR}",
    f"https://verify.example/#{LOCATOR.replace(':', '%3A')}",
    f"https://verify.example/#{LOCATOR[:-1]}",
    f"https://verify.example/#{LOCATOR}#{LOCATOR}",
    "https://verify.example/#results",
    "https://verify.example/",
    f"#{LOCATOR}",
    "#",
    "",
)


def test_locators_and_links_are_read_alike() -> None:
    calls = ("parse_locator", "locator_of_link")
    assert compared([{"call": call, "text": text} for call in calls for text in LINKS]) == {}


def receipts() -> list[Path]:
    folder = ROOT / "tests" / "vectors" / "ledger"
    return sorted([*folder.glob("receipt*.json"), *folder.glob("broken/receipt*.json")])


def test_profile_and_salt_of_a_receipt_are_read_alike() -> None:
    files = [path.read_bytes() for path in receipts()]
    answers = node_answers([request("receipt", data) for data in files])
    for data, answer in zip(files, answers, strict=True):
        wanted = python_answer(request("receipt", data))
        # What else is wrong with a receipt is for the verification to say.
        assert answer == wanted or ("value" in answer and wanted == {"error": "receipt_format"})
    assert {"value", "error"} <= {key for answer in answers for key in answer}


MISLEADING: Final = (
    ("receipt/v1", "receipt/v2"),
    ('"profile": "', '"profile": "x'),
    ('"salt": "', '"salt": "0'),
    ('"salt": "', '"salt": 1, "salt": "'),
    ('"salt": "', '"pepper": "'),
    ('"commitment": {', '"commitment": {"more": 1, '),
    ('"commitment": {', '"commitment": null, "x": {'),
    ('"index": ', '"index": 9007199254740993, "x": '),
    ("{", "[{"),
    ("{", "\ufeff{"),
)
"""In a receipt: what is written, and what is put in its place."""


def test_what_would_mislead_about_profile_and_salt_is_refused_alike() -> None:
    whole = (ROOT / "tests" / "vectors" / "ledger" / "receipt.json").read_text("utf-8")
    assert python_answer(request("receipt", whole.encode())).keys() == {"value"}
    broken = [whole.replace(old, new, 1).encode() for old, new in MISLEADING]
    asked = [request("receipt", data) for data in broken]
    assert [python_answer(one) for one in asked] == [{"error": "receipt_format"}] * len(asked)
    assert compared(asked) == {}


def test_a_bundle_is_read_alike_and_every_altered_byte_is_noticed() -> None:
    good = make_bundle("diploma-\u00fc.json", b'{"degree": "BSc"}\n', b"{}\n")
    empty = make_bundle("a", b"", b"")
    broken = [bytes((*good[:at], good[at] ^ 1, *good[at + 1 :])) for at in range(len(good))]
    broken += [good[:length] for length in range(0, len(good), 7)]
    broken += [good + b"\0", b"\0" + good, good + good, b"PK\x03\x04" + b"\xff" * 60]
    answers = node_answers([request("bundle", data) for data in (good, empty, *broken)])
    assert answers[:2] == [python_answer(request("bundle", data)) for data in (good, empty)]
    assert [one for one in answers[2:] if one != {"error": "bundle_format"}] == []


TAKEN: Final = (
    *("diploma.pdf", "com10.pdf", "\U0001f600.pdf", ".pdf", "a\u0378b", "a" * 200, "\u00e9" * 100),
    *("receipt.json.json", "com.pdf", "receipt.j\u00dfon"),
)
REFUSED: Final = (
    *("", " a", "a ", "a.", "a/b", "a\\b", "a:b", "a?", "CON", "com1  .pdf", "lpt9.", "nul.tar.gz"),
    *("a\x01", "a\x7f", "a\x85b", "a\u2028b", "a\u2029b", "a\u202eb", "a\u061cb", "a" * 201),
    *("\u00e9" * 101, "Receipt.JSON", "receipt.j\u017fon", "rEAD-mE.tXT"),
)


def test_names_in_a_bundle_are_taken_or_refused_alike() -> None:
    # Written by the standard library, as Python makes no bundle with a name that it refuses.
    others = (("receipt.json", b"{}"), ("READ-ME.txt", README.encode()))
    made = [zipped((name, b"a credential"), *others) for name in (*TAKEN, *REFUSED)]
    asked = [request("bundle", data) for data in made]
    names = [answer.get("value", {}).get("name") for answer in node_answers(asked)]
    assert names == [*TAKEN, *[None] * len(REFUSED)]
    assert compared(asked) == {}


def test_the_note_of_a_bundle_stands_in_the_module_as_in_python() -> None:
    assert README in (STATIC / "bundle.js").read_text("utf-8")


def test_a_bundle_is_known_by_its_name() -> None:
    names = ("a.testamur.zip", "A.TESTAMUR.ZIP", "a.zip", "testamur.zip", ".testamur.zip ", "")
    assert compared([{"call": "is_bundle_name", "text": name} for name in names]) == {}


def test_a_bundle_is_known_by_how_it_begins() -> None:
    whole = [make_bundle(name, b"a credential", b"{}") for name in ("a", "\u00fc")]
    altered = [bytes((*one[:at], one[at] ^ 1, *one[at + 1 :])) for one in whole for at in range(40)]
    cut = [one[:length] for one in whole for length in range(40)]
    asked = [request("looks_like_bundle", data) for data in (*whole, *altered, *cut)]
    found = [answer["value"] for answer in node_answers(asked)]
    assert set(found) == {True, False}
    assert compared(asked) == {}
