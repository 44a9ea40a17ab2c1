"""The verify page in Chromium, on a real node: what a person gives, and what the page then says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Route, expect
from pydantic import SecretStr

from testamur.ledger.bundle import make_bundle
from testamur.ledger.report import DOES_NOT_PROVE
from tests.support.chromium import chromium
from tests.support.located import JSON_TEMPLATE, PDF_TEMPLATE, located
from tests.support.node import Committed, Consortium, HttpNode
from tests.support.verify_page import File, VerifyPage, opened, payloads

pytestmark = pytest.mark.slow  # a browser starts

MARK: Final = "Ada-Lovelace-5c2f"
"""Stands in every credential that is given; no request may hold it."""
MOMENT: Final = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"
ALDERMERE: Final = (
    r"Registered by University of Aldermere \(aldermere\.example\) on \d{4}-\d\d-\d\d"
)
VERIFIED: Final = rf"{ALDERMERE}; unchanged since; not revoked as of {MOMENT}\."
VECTORS: Final = Path(__file__).parents[1] / "vectors" / "credentials" / "profiles"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def one_page(browser: Browser, node: HttpNode) -> Iterator[VerifyPage]:
    with opened(browser, node.url) as page:
        yield page


@pytest.fixture
def verify(one_page: VerifyPage) -> Iterator[VerifyPage]:
    """Give the page, loaded anew; at the end nothing has leaked, and nothing was complained of."""
    one_page.open()
    yield one_page
    one_page.expect_quiet()
    bodies = [one.post_data_buffer or b"" for one in one_page.requests]
    assert not [body for body in bodies if MARK.encode() in body]


class Registered:
    """A credential that was registered, in every form that its holder may have it in."""

    def __init__(self, committed: Committed, receipt: dict[str, Any]) -> None:
        self.committed = committed
        self.receipt = receipt
        self.file: File = (committed.name, committed.data)
        self.receipt_file: File = (
            f"{committed.name}.receipt.json",
            json.dumps(receipt, indent=2).encode(),
        )
        self.bundle: File = (
            f"{committed.name}.testamur.zip",
            make_bundle(committed.name, committed.data, self.receipt_file[1]),
        )


def credential(issuer: str = "https://aldermere.example") -> bytes:
    return json.dumps({"issuer": issuer, "holder": MARK}).encode()


@pytest.fixture(scope="module")
def good(consortium: Consortium, node: HttpNode) -> Registered:
    committed = consortium.commit(1, credential(), "badge.json")
    return Registered(committed, consortium.register(node, committed)[0])


@pytest.fixture(scope="module")
def pdf(consortium: Consortium, node: HttpNode) -> tuple[File, str]:
    """Give a PDF with a locator in it, and that locator."""
    template = PDF_TEMPLATE + MARK.encode()
    committed, locator = located(consortium.ledger_id, 1, template, seed="page pdf")
    consortium.register(node, committed)
    text = f"testamur:1:{locator.ledger_id.hex()}:{locator.member}:{locator.salt.hex()}"
    return ("diploma.pdf", committed.data), text


@pytest.fixture(scope="module")
def link(consortium: Consortium, node: HttpNode) -> tuple[File, str]:
    """Give a credential without a locator in it, and the locator that its link has."""
    committed = consortium.commit(1, credential(), "from-a-link.json")
    consortium.register(node, committed)
    text = f"testamur:1:{consortium.ledger_id.hex()}:1:{committed.salt.hex()}"
    return (committed.name, committed.data), text


# --- each way of giving it -----------------------------------------------------------------------


def expect_verified(page: VerifyPage, *, sent: int = 1) -> None:
    page.expect_verdict("Verified")
    assert re.fullmatch(VERIFIED, page.summary)
    assert DOES_NOT_PROVE in page.text
    assert "A local network: a trial, proves nothing to others." in page.text
    assert len(page.sent) == sent


def test_a_bundle(verify: VerifyPage, good: Registered) -> None:
    verify.choose(good.bundle)
    expect_verified(verify)
    assert verify.given == [
        "Credential: badge.json",
        "Receipt: receipt.json in badge.json.testamur.zip",
    ]
    # With a result, nothing more is asked for.
    expect(verify.page.locator("#local")).to_be_hidden()


def test_a_bundle_that_the_browser_has_numbered(verify: VerifyPage, good: Registered) -> None:
    verify.choose(("badge.json.testamur (1).zip", good.bundle[1]))
    expect_verified(verify)


def test_a_bundle_that_is_dropped(verify: VerifyPage, good: Registered) -> None:
    verify.drop(good.bundle)
    expect_verified(verify)


def test_a_file_and_its_receipt_at_once(verify: VerifyPage, good: Registered) -> None:
    verify.choose(good.receipt_file, good.file)
    expect_verified(verify)
    assert verify.given == ["Credential: badge.json", "Receipt: badge.json.receipt.json"]


def test_a_file_and_then_its_receipt(verify: VerifyPage, good: Registered) -> None:
    verify.choose(good.file)
    verify.expect_verdict("Receipt needed")
    assert verify.sent == []
    with verify.page.expect_file_chooser() as chooser:
        verify.page.get_by_role("button", name="Add the receipt").click()
    chooser.value.set_files(payloads([good.receipt_file]))
    expect_verified(verify)


def test_a_receipt_under_any_name_and_then_its_file(verify: VerifyPage, good: Registered) -> None:
    verify.choose(("download.json", good.receipt_file[1]))
    expect(verify.page.get_by_role("status")).to_have_text(
        "Now choose the credential: the file that this receipt is for."
    )
    verify.choose(good.file)
    expect_verified(verify)


def test_a_file_with_a_locator_in_it(verify: VerifyPage, pdf: tuple[File, str]) -> None:
    verify.choose(pdf[0])
    expect_verified(verify)
    assert set(verify.sent[0]) == {"profile", "digest", "member", "salt"}


def test_a_link_with_the_locator_in_its_fragment(
    browser: Browser, node: HttpNode, link: tuple[File, str], good: Registered
) -> None:
    with opened(browser, node.url, f"/#{link[1]}") as page:
        expect(page.page.get_by_role("status")).to_have_text(
            "Now choose the credential: the file that this link is for."
        )
        assert page.given == ["Link: a code of University of Aldermere (aldermere.example)"]
        assert page.sent == []
        page.choose(link[0])
        expect_verified(page)
        page.drop(good.bundle)  # the link was for the file before it
        expect(page.page.locator("#given")).to_contain_text("badge.json")
        expect_verified(page, sent=2)
        # The fragment is for the page alone: what the server was asked for does not hold it.
        salt = link[1].rpartition(":")[2]
        assert not [one.url for one in page.requests if salt in one.url.partition("#")[0]]
        page.expect_quiet()


@pytest.mark.parametrize("before", ["", "https://verify.example/#"])
def test_a_link_or_code_that_is_typed_in(
    verify: VerifyPage, link: tuple[File, str], before: str
) -> None:
    verify.choose(link[0])
    verify.expect_verdict("Receipt needed")
    verify.page.get_by_text("I have a link or a code").click()
    verify.page.get_by_label("The link, or the code").fill(f" {before}{link[1]} ")
    verify.page.get_by_role("button", name="Use it").click()
    expect_verified(verify)


def test_another_file_after_a_result_starts_anew(
    verify: VerifyPage, good: Registered, pdf: tuple[File, str]
) -> None:
    verify.choose(good.bundle)
    expect_verified(verify)
    verify.drop(pdf[0])
    expect(verify.page.locator("#given")).to_contain_text("diploma.pdf")
    verify.expect_verdict("Verified")
    assert verify.given == ["Credential: diploma.pdf"]
    verify.page.get_by_role("button", name="Start again").click()
    expect(verify.page.locator("#outcome")).to_be_empty()
    expect(verify.page.locator("#local")).to_be_visible()
    expect(verify.page.locator("#files")).to_be_focused()
    verify.choose(good.file)
    verify.expect_verdict("Receipt needed")


def test_what_is_found_of_a_file_that_was_replaced_is_not_shown(
    verify: VerifyPage, good: Registered, pdf: tuple[File, str]
) -> None:
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    verify.page.route("**/v1/verify", hold_the_first)
    with verify.page.expect_request("**/v1/verify"):
        verify.choose(("badge.json", b"{}"), good.receipt_file)
    expect(verify.page.get_by_role("status")).to_have_text("Asking the node…")
    verify.drop(pdf[0])
    verify.expect_verdict("Verified")
    with verify.page.expect_response("**/v1/verify"):
        held[0].continue_()
    verify.page.unroute("**/v1/verify")
    verify.expect_verdict("Verified")
    assert verify.given == ["Credential: diploma.pdf"]


def test_a_file_that_is_pasted(verify: VerifyPage, good: Registered) -> None:
    name, data = good.bundle
    verify.page.evaluate(
        """([name, data]) => {
            const carried = new DataTransfer();
            carried.items.add(new File([new Uint8Array(data)], name));
            document.body.dispatchEvent(new ClipboardEvent(
                "paste", { clipboardData: carried, bubbles: true, cancelable: true }));
        }""",
        [name, list(data)],
    )
    expect_verified(verify)


# --- each verdict --------------------------------------------------------------------------------


def test_with_warnings(verify: VerifyPage, consortium: Consortium, node: HttpNode) -> None:
    other = credential("https://other.example")
    committed = consortium.commit(1, other, "other.json")
    registered = Registered(committed, consortium.register(node, committed)[0])
    verify.choose(registered.bundle)
    verify.expect_verdict("Verified, with warnings")
    assert re.fullmatch(
        VERIFIED + r" The credential names https://other\.example as its issuer; "
        r"University of Aldermere registered it\.",
        verify.summary,
    )
    assert "normal where one office registers for several" in verify.text


def test_invalid_because_the_file_was_changed(verify: VerifyPage, good: Registered) -> None:
    changed = good.file[1].replace(b"aldermere", b"alderwere")
    verify.choose(("badge.json", changed), good.receipt_file)
    verify.expect_verdict("Not valid")
    assert verify.summary == (
        "The credential is not the one that this receipt was issued for: it was changed, even if "
        "only by saving it again, or the receipt belongs to another one."
    )
    assert "Do not rely on this file." in verify.text


def test_invalid_because_the_receipt_was_changed(verify: VerifyPage, good: Registered) -> None:
    forged = good.receipt | {"entry": "00" * 32}
    verify.choose(good.file, ("receipt.json", json.dumps(forged).encode()))
    verify.expect_verdict("Not valid")


def test_invalid_because_the_receipt_is_of_another_ledger(
    verify: VerifyPage, good: Registered
) -> None:
    foreign = good.receipt | {"ledger": good.receipt["ledger"] | {"ledger_id": "11" * 32}}
    verify.choose(good.file, ("receipt.json", json.dumps(foreign).encode()))
    verify.expect_verdict("Not valid")
    assert "another ledger" in verify.summary
    assert "open that by an address that you know yourself" in verify.text


def test_pending(verify: VerifyPage, consortium: Consortium, node: HttpNode) -> None:
    committed = consortium.commit(1, credential(), "young.json")
    node.submit(committed)
    consortium.bring(node, committed.entry, "anchored")
    early = Registered(committed, node.receipt(committed))
    verify.choose(early.bundle)
    verify.expect_verdict("Not final yet")
    assert verify.summary == "Registered, but not final yet: ask again in some minutes."
    assert "Not yet The registration is final" in verify.text
    consortium.bring(node, committed.entry, "final")
    verify.page.get_by_role("button", name="Try again").click()
    expect_verified(verify, sent=2)


def test_not_found(verify: VerifyPage, consortium: Consortium) -> None:
    template = JSON_TEMPLATE.replace(b"MSc", MARK.encode())
    never, _ = located(consortium.ledger_id, 1, template, seed="never registered")
    verify.choose(("never.json", never.data))
    verify.expect_verdict("Not found")
    assert re.fullmatch(
        r"No record of exactly this file: changed, even by re-saving, or never registered\. "
        rf"It stands in no batch of University of Aldermere as of {MOMENT}\.",
        verify.summary,
    )


def test_receipt_needed(verify: VerifyPage, good: Registered) -> None:
    verify.choose(good.file)
    verify.expect_verdict("Receipt needed")
    assert verify.summary == (
        "Ask the holder for the bundle, the receipt or the link: without it nothing can be said."
    )
    assert verify.sent == []


def test_could_not_check_because_the_chain_does_not_answer(
    browser: Browser, consortium: Consortium, node: HttpNode, good: Registered
) -> None:
    del node  # it registered what is checked
    with consortium.serving(2) as other:
        other.step("following")
    with (
        consortium.serving(2, rpc_url=SecretStr("http://127.0.0.1:1")) as cut_off,
        opened(browser, cut_off.url) as page,
    ):
        page.choose(good.bundle)
        page.expect_verdict("Could not be checked")
        assert page.summary.startswith(
            "This could not be checked, which says nothing about the credential."
        )
        page.expect_quiet()


def test_could_not_check_because_the_node_does_not_answer(
    verify: VerifyPage, good: Registered
) -> None:
    verify.page.context.set_offline(True)
    verify.choose(good.bundle)
    verify.expect_verdict("Could not be checked")
    assert verify.summary == (
        "The node did not answer, so this could not be checked. That says nothing about the "
        "credential."
    )
    verify.page.context.set_offline(False)
    verify.page.get_by_role("button", name="Try again").click()
    verify.expect_verdict("Verified")
    assert verify.complaints == ["Failed to load resource: net::ERR_INTERNET_DISCONNECTED"]
    verify.complaints.clear()


# --- what cannot be read -------------------------------------------------------------------------


def vector(name: str) -> tuple[bytes, str]:
    """Give the file of a vector that must be refused, and the code of its error."""
    read = json.loads((VECTORS / f"{name}.json").read_bytes())
    data = read.get("artefact", "").encode() or bytes.fromhex(read["artefact_hex"])
    return data, read["error"]


@pytest.mark.parametrize(
    "name",
    [
        "jcs-two-proof-members",
        "jcs-duplicate-key-in-depth",
        "jcs-lone-low-surrogate",
        "jcs-integer-plus-1",
        "jwt-header-duplicate-key",
        "jws-protected-duplicate-key",
    ],
)
def test_what_python_refuses_is_refused_and_nothing_is_sent(verify: VerifyPage, name: str) -> None:
    data, code = vector(name)
    verify.choose(("file.json", data))
    verify.expect_verdict("Could not be read")
    assert verify.summary.startswith("The file is not readable as a credential: ")
    assert f"Code for support: {code}" in verify.text
    assert verify.sent == []


def test_what_is_called_a_receipt_and_is_none(verify: VerifyPage, good: Registered) -> None:
    verify.choose(good.file, ("receipt.json", b"{}"))
    verify.expect_verdict("Not valid")
    assert verify.summary.startswith("This is not a receipt: ")
    assert "Code for support: receipt_format" in verify.text
    assert verify.sent == []


def test_a_file_that_cannot_be_read_beside_its_receipt_is_not_valid(
    verify: VerifyPage, good: Registered
) -> None:
    verify.choose(("badge.json", b'{"a":1,"a":2}'), good.receipt_file)
    verify.expect_verdict("Not valid")
    assert "Code for support: duplicate_key" in verify.text
    assert verify.sent == []


def test_a_damaged_bundle(verify: VerifyPage, good: Registered) -> None:
    name, data = good.bundle
    verify.choose((name, data[:-1] + b"x"))
    verify.expect_verdict("Not valid")
    assert "Code for support: bundle_format" in verify.text
    assert "packed anew, unpack it" in verify.text
    verify.choose(good.bundle)
    verify.expect_verdict("Verified")


def test_two_locators(verify: VerifyPage, consortium: Consortium, pdf: tuple[File, str]) -> None:
    other = f"testamur:1:{consortium.ledger_id.hex()}:1:{'ab' * 32}"
    verify.choose(("two.pdf", pdf[0][1] + other.encode()))
    verify.expect_verdict("Not valid")
    assert "Code for support: several_locators" in verify.text
    assert verify.sent == []


def test_a_link_of_another_file(
    browser: Browser, node: HttpNode, pdf: tuple[File, str], link: tuple[File, str]
) -> None:
    with opened(browser, node.url, f"/#{link[1]}") as page:
        page.choose(pdf[0])
        page.expect_verdict("Not valid")
        assert page.summary == "The file holds another code than the link."
        assert page.sent == []


def test_a_locator_of_another_ledger(verify: VerifyPage) -> None:
    verify.choose(("far.txt", f"testamur:1:{'cd' * 32}:1:{'ab' * 32}".encode()))
    verify.expect_verdict("Not valid")
    assert "another consortium's ledger" in verify.summary
    assert verify.sent == []


def test_a_damaged_link(browser: Browser, node: HttpNode, link: tuple[File, str]) -> None:
    with opened(browser, node.url, f"/#{link[1][:-1]}") as page:
        page.expect_verdict("Could not be read")
        assert "Code for support: locator_format" in page.text


def test_files_of_two_credentials(verify: VerifyPage, good: Registered) -> None:
    verify.choose(good.file, ("other.json", b"{}"))
    verify.expect_verdict("Could not be read")
    assert "one credential at a time" in verify.text
    assert verify.sent == []


# --- what is sent, and to whom -------------------------------------------------------------------


def test_no_byte_of_a_file_is_sent_but_what_the_page_says(
    verify: VerifyPage, good: Registered
) -> None:
    verify.choose(good.bundle)
    verify.expect_verdict("Verified")
    (sent,) = verify.sent
    assert sent == {
        "profile": good.committed.profile,
        "digest": good.committed.digest.hex(),
        "issuers": [{"id": "https://aldermere.example", "names": []}],
        "receipt": good.receipt,
    }
    posted = [one for one in verify.requests if one.method == "POST"]
    assert [one.url for one in posted] == [verify.url + "/v1/verify"]
    assert {one.method for one in verify.requests} == {"GET", "POST"}
    assert "cookie" not in posted[0].all_headers()
    kept = verify.page.evaluate("[document.cookie, localStorage.length, sessionStorage.length]")
    assert kept == ["", 0, 0]


def test_the_page_can_talk_to_nobody_else(
    browser: Browser, consortium: Consortium, node: HttpNode
) -> None:
    """Its policy forbids it, whatever a script of it might want."""
    with consortium.serving(3) as other, opened(browser, node.url) as page:
        asked = f"fetch('{other.url}/v1/ledger').then(() => 'answered', () => 'forbidden')"
        assert page.page.evaluate(asked) == "forbidden"
        own = "fetch('/v1/ledger').then(() => 'answered', () => 'forbidden')"
        assert page.page.evaluate(own) == "answered"
        assert "connect-src" in " ".join(page.complaints)


# --- people --------------------------------------------------------------------------------------


def test_with_the_keyboard_alone(verify: VerifyPage, good: Registered) -> None:
    page = verify.page

    def tab_to(selector: str) -> None:
        for _ in range(12):
            page.keyboard.press("Tab")
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(selector)

    tab_to("#files")
    ring = page.locator("label[for=files]").evaluate("it => getComputedStyle(it).outlineStyle")
    assert ring == "solid"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(payloads([good.bundle]))
    verify.expect_verdict("Verified")
    expect(page.locator("#verdict")).to_be_focused()
    tab_to("summary")
    page.keyboard.press("Enter")
    tab_to("a[download]")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    saved = download.value
    assert saved.suggested_filename == "testamur-report.json"
    assert json.loads(saved.path().read_bytes())["verdict"] == "verified"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Start again")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#files")).to_be_focused()


def test_a_result_is_announced(verify: VerifyPage, good: Registered) -> None:
    """The focus moves to it; what happens on the way is in a live region."""
    status = verify.page.get_by_role("status")
    expect(status).to_be_empty()
    verify.choose(good.receipt_file)
    expect(status).not_to_be_empty()
    verify.choose(good.file)
    verify.expect_verdict("Verified")
    expect(verify.page.get_by_role("heading", name="Verified", exact=True)).to_be_focused()
    expect(verify.page.get_by_role("region", name="Verified")).to_be_visible()
    expect(status).to_be_empty()
    assert verify.page.title() == "Verified · Testamur"


@pytest.mark.parametrize("width", [320, 1280])
def test_nobody_scrolls_sideways(
    browser: Browser, node: HttpNode, good: Registered, width: int
) -> None:
    with opened(browser, node.url, viewport={"width": width, "height": 800}) as page:
        assert not page.is_too_wide
        long_name = "Zeugnis" * 15 + ".json"
        for files in ([good.bundle], [(long_name, b"{}"), good.receipt_file], [good.file]):
            page.choose(*files)
            expect(page.page.locator("#verdict")).to_be_focused()
            page.page.locator("details").evaluate_all("all => all.forEach(it => it.open = true)")
            assert not page.is_too_wide
            page.page.get_by_role("button", name="Start again").click()


def test_times_are_shown_where_the_reader_is_too(
    browser: Browser, node: HttpNode, good: Registered
) -> None:
    with opened(browser, node.url, timezone_id="Asia/Tokyo") as page:
        page.choose(good.bundle)
        page.expect_verdict("Verified")
        assert re.search(rf"Registered on {MOMENT} \(\d+ \w+ \d{{4}}, \d\d:\d\d", page.text)


# --- without JavaScript --------------------------------------------------------------------------


def test_without_javascript_the_form_gives_the_same_verdicts(
    browser: Browser,
    node: HttpNode,
    good: Registered,
    pdf: tuple[File, str],
    link: tuple[File, str],
) -> None:
    changed = ("badge.json", good.file[1].replace(b"aldermere", b"alderwere"))
    with opened(browser, node.url, java_script_enabled=False) as page:
        assert "the file is sent to this node" in page.page.locator("#upload").inner_text()
        expect(page.page.locator("#local")).to_be_hidden()
        for word, file, receipt, locator in [
            ("Verified", good.bundle, None, ""),
            ("Verified", good.file, good.receipt_file, ""),
            ("Verified", pdf[0], None, ""),
            ("Verified", link[0], None, f"https://verify.example/#{link[1]}"),
            ("Not valid", changed, good.receipt_file, ""),
            ("Not valid", ("x.zip", good.bundle[1][:-1]), None, ""),
            ("Receipt needed", good.file, None, ""),
            ("Not found", changed, None, link[1]),
            ("Could not be read", good.bundle, good.receipt_file, ""),
        ]:
            page.page.goto(node.url)
            page.page.set_input_files("#file", payloads([file]))
            if receipt is not None:
                page.page.set_input_files("#receipt", payloads([receipt]))
            page.page.get_by_label("the link that came with it").fill(locator)
            page.page.get_by_role("button", name="Send the file and check it").click()
            page.expect_verdict(word)
            if word == "Verified":
                assert re.fullmatch(VERIFIED, page.summary)
            page.page.get_by_role("link", name="Check another one").click()
            expect(page.page.locator("#upload")).to_be_visible()
        page.complaints = [one for one in page.complaints if "400 (Bad Request)" not in one]
        page.expect_quiet()


def test_where_the_browser_cannot_hash_the_form_is_there(browser: Browser, node: HttpNode) -> None:
    """WebCrypto is missing on pages that come over plain http."""
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    page = context.new_page()
    page.goto(node.url)
    expect(page.locator("#no-https")).to_be_visible()
    expect(page.locator("#upload")).to_be_visible()
    expect(page.locator("#local")).to_be_hidden()
    context.close()
