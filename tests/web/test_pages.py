"""What the node serves to browsers: strict headers, nothing from elsewhere, every text escaped."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from ipaddress import ip_network
from typing import Any, Final
from urllib.parse import unquote

import httpx
import pytest

from testamur.api.app import create_app
from testamur.api.problems import MEDIA_TYPE
from testamur.api.rate_limit import ClientLimits
from testamur.errors import CredentialError, FormatError
from testamur.ledger.report import DOES_NOT_PROVE, OUTCOMES, Check, Outcome, Report, Status, Verdict
from testamur.ledger.trust import Network, NetworkKind, TrustedMember
from testamur.ledger.verdict import WARNINGS
from testamur.web import wording
from testamur.web.pages import Pages
from testamur.web.shown import shown_problem, shown_report
from testamur.web.wording import Tone
from tests.support.documents import page as document
from tests.support.error_table import classes
from tests.support.node import Committed, Consortium, HttpNode, served

BROWSER: Final = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
LOCAL: Final = Network("embedded chain", NetworkKind.LOCAL)
VOID: Final = {"meta", "link", "input", "use", "path", "circle"}


class Read(HTMLParser):
    """A page taken apart; elements that are not closed in order fail."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


def send(node: HttpNode, data: bytes, receipt: object, accept: str = BROWSER) -> httpx.Response:
    """Send the form of the page as a browser without JavaScript does."""
    files = {"file": ("credential", data), "receipt": ("receipt.json", json.dumps(receipt))}
    return node.http.post("/v1/verify", files=files, headers={"Accept": accept})


@pytest.fixture(scope="module")
def registered(consortium: Consortium, node: HttpNode) -> tuple[Committed, dict[str, Any]]:
    committed = consortium.some(1)[0]
    return committed, consortium.register(node, committed)[0]


@pytest.fixture(scope="module")
def start(node: HttpNode) -> httpx.Response:
    answer = node.http.get("/")
    assert answer.status_code == 200
    return answer


def made_report(verdict: Verdict, *checks: Check, network: Network = LOCAL) -> Report:
    member = TrustedMember(1, "University X", "x.eu", bytes(32))
    return Report(verdict, "The sentence.", member, 1, None, network, "head", checks)


# --- headers -------------------------------------------------------------------------------------


def headers_are_strict(answer: httpx.Response) -> None:
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert {policy[f"{kind}-src"] for kind in ("script", "style", "img", "connect")} == {"'self'"}
    assert policy["form-action"] == "'self'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers


def test_every_page_and_what_it_loads_has_strict_headers(
    node: HttpNode, start: httpx.Response, registered: tuple[Committed, dict[str, Any]]
) -> None:
    committed, receipt = registered
    headers_are_strict(start)
    headers_are_strict(send(node, committed.data, receipt))
    headers_are_strict(send(node, committed.data, []))
    for path in loaded(start.text):
        headers_are_strict(node.http.get(path))


def loaded(text: str) -> list[str]:
    """List what a page loads; scripts without an address are data, and load nothing."""
    read = Read(text)
    scripts = [tag["src"] for tag in read.all("script") if "src" in tag]
    return [str(path) for path in scripts + [tag["href"] for tag in read.all("link")]]


def test_a_page_loads_from_its_node_alone_and_has_nothing_inline(
    node: HttpNode, start: httpx.Response, registered: tuple[Committed, dict[str, Any]]
) -> None:
    committed, receipt = registered
    for text in (start.text, send(node, committed.data, receipt).text):
        paths = loaded(text)
        assert len(paths) >= 2
        assert all(re.fullmatch(r"/static/[0-9a-f]{16}/[\w.-]+", path) for path in paths)
        read = Read(text)
        assert read.all("style") == read.all("iframe") == read.all("object") == []
        assert {tag.get("type") for tag in read.all("script")} <= {"module", "application/json"}
        for tag, attributes in read.tags:
            assert "style" not in attributes, tag
            assert not [name for name in attributes if name.startswith("on")], tag


def test_static_files_may_be_kept_for_ever_and_are_all_there(
    node: HttpNode, start: httpx.Response
) -> None:
    for path in loaded(start.text):
        answer = node.http.get(path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        kind = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
        assert answer.headers["content-type"].partition(";")[0] == kind[path.rpartition(".")[2]]
        assert node.http.head(path).status_code == 200
    assert start.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/static/0000000000000000/page.css",
        "/static/{version}/",
        "/static/{version}/package.json",
        "/static/{version}/missing.js",
        "/static/{version}/..%2fpages.py",
        "/static/{version}/%2e%2e/pages.py",
    ],
)
def test_nothing_but_the_static_files_of_this_version_is_served(
    node: HttpNode, start: httpx.Response, path: str
) -> None:
    version = loaded(start.text)[0].split("/")[2]
    answer = node.http.get(path.replace("{version}", version))
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_resource")


# --- who gets a page -----------------------------------------------------------------------------


@pytest.mark.parametrize("accept", [BROWSER, "text/html", "TEXT/HTML; q=0.5"])
def test_a_browser_gets_a_page(
    node: HttpNode, registered: tuple[Committed, dict[str, Any]], accept: str
) -> None:
    answer = send(node, *_of(registered), accept=accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "Accept" in answer.headers["vary"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("accept", ["*/*", "", "application/json", "application/json, text/html"])
def test_a_program_gets_json(
    node: HttpNode, registered: tuple[Committed, dict[str, Any]], accept: str
) -> None:
    answer = send(node, *_of(registered), accept=accept)
    assert answer.json()["verdict"] == "verified"
    assert "Accept" in answer.headers["vary"]
    assert answer.headers["cache-control"] == "no-store"
    refused = node.http.post("/v1/verify", content=b"{", headers={"Accept": accept})
    assert refused.headers["content-type"] == MEDIA_TYPE


def test_no_other_path_has_a_page_in_the_place_of_json(node: HttpNode) -> None:
    for path in ("/v1/ledger", "/v1/entries/no", "/health/ready", "/openapi.json"):
        answer = node.http.get(path, headers={"Accept": BROWSER})
        assert "json" in answer.headers["content-type"], path


def _of(registered: tuple[Committed, dict[str, Any]]) -> tuple[bytes, dict[str, Any]]:
    return registered[0].data, registered[1]


def test_the_page_says_what_the_report_says(
    node: HttpNode, registered: tuple[Committed, dict[str, Any]]
) -> None:
    committed, receipt = registered
    report = node.verify(committed, receipt)
    read = Read(send(node, committed.data, receipt).text)
    assert report["summary"] in read.words
    assert DOES_NOT_PROVE in read.words
    assert "sent to this node" in read.words
    assert "A local network: a trial, proves nothing to others." in read.words
    for check in report["checks"]:
        assert check["detail"] in read.words
    (download,) = [tag for tag in read.all("a") if "download" in tag]
    kind, _, content = str(download["href"]).partition(",")
    assert kind == "data:application/json"
    downloaded = json.loads(unquote(content))
    assert downloaded["verdict"] == "verified"
    assert set(downloaded) == set(report)


def test_an_error_is_shown_in_the_place_of_a_report(node: HttpNode) -> None:
    answer = send(node, b"{}", "{", accept=BROWSER)
    assert answer.status_code == 200  # a text is JSON, and no receipt
    assert "Not valid" in Read(answer.text).words
    form = {"neither": ("x", b"")}
    answer = node.http.post("/v1/verify", files=form, headers={"Accept": BROWSER})
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "Accept" in answer.headers["vary"]
    read = Read(answer.text)
    assert "Could not be read" in read.words
    assert "request_format" in read.words
    assert wording.ADVICE["request_format"] in read.words


def test_too_many_requests_are_a_page_too(
    node: HttpNode, registered: tuple[Committed, dict[str, Any]]
) -> None:
    limits = ClientLimits(per_second=1e-3, burst=1, trusted=(ip_network("127.0.0.0/8"),))
    pages = Pages(node.node.service, clock=time.time)
    app = create_app(node.node.service, client_limits=limits, pages=pages)
    with served(app) as url, httpx.Client(base_url=url) as http:
        asked = {
            "files": {"file": ("credential", registered[0].data)},
            "headers": {"Accept": BROWSER, "X-Forwarded-For": "198.51.100.7"},
        }
        assert http.post("/v1/verify", **asked).status_code == 200
        answer = http.post("/v1/verify", **asked)
    assert answer.status_code == 429
    assert answer.headers["retry-after"]
    assert "Could not be checked" in Read(answer.text).words


def test_the_start_page_says_whose_it_is_and_what_it_does_with_files(
    start: httpx.Response,
) -> None:
    read = Read(start.text)
    assert ("html", {"lang": "en"}) in read.tags
    assert "Verify page of University of Aldermere (aldermere.example)" in read.words
    assert "Your file is not uploaded" in read.words
    assert "If you go on, the file is sent to this node" in read.words
    assert "A QR code or a link can be forged" in read.words
    (form,) = [tag for tag in read.all("form") if "action" in tag]
    assert form == {
        "id": "upload",
        "method": "post",
        "action": "/v1/verify",
        "enctype": "multipart/form-data",
    }
    assert {tag["name"] for tag in read.all("input") if "name" in tag} == {
        "file",
        "receipt",
        "locator",
    }
    labelled = {tag["for"] for tag in read.all("label")}
    assert {tag["id"] for tag in read.all("input")} == labelled


def test_a_node_that_has_not_followed_the_chain_yet_has_its_page_all_the_same(
    consortium: Consortium,
) -> None:
    with consortium.serving(3) as fresh:
        answer = fresh.http.get("/")
    assert answer.status_code == 200
    assert "Verify page of member 3" in Read(answer.text).words


# --- what is laid out ----------------------------------------------------------------------------


def test_what_anyone_wrote_is_text_on_the_page(
    node: HttpNode, registered: tuple[Committed, dict[str, Any]]
) -> None:
    """Issuers are quoted in the report, and anyone may write them."""
    committed, receipt = registered
    hostile = "<script src=//evil.example></script>\"'><img src=x onerror=alert(1)>"
    asked = {
        "profile": committed.profile,
        "digest": committed.digest.hex(),
        "receipt": receipt,
        "issuers": [{"names": [[hostile]]}],
    }
    answer = node.http.post("/v1/verify", json=asked, headers={"Accept": "text/html"})
    assert hostile not in answer.text
    read = Read(answer.text)
    assert "evil.example" in read.words
    assert read.all("img") == []
    assert [tag for tag in read.all("script") if "evil" in str(tag)] == []


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_a_word_an_icon_and_a_next_step(verdict: Verdict) -> None:
    shown = shown_report(made_report(verdict), node="x", now=0)
    assert shown.words.word
    assert shown.words.icon in icons()
    assert shown.steps
    tones = {
        Outcome.ACCEPT: {Tone.GOOD},
        Outcome.REVIEW: {Tone.WARN, Tone.UNKNOWN},
        Outcome.REJECT: {Tone.BAD},
        Outcome.RETRY: {Tone.WAIT, Tone.UNKNOWN},
    }
    assert shown.words.tone in tones[OUTCOMES[verdict]]


def test_no_two_verdicts_are_announced_alike() -> None:
    words = [words.word for words in wording.VERDICTS.values()]
    icons_used = [words.icon for words in wording.VERDICTS.values()]
    assert len(set(words)) == len(set(icons_used)) == len(Verdict)


def icons() -> set[str]:
    text = document("node/testamur/web/templates/icons.html")
    return set(re.findall(r'<symbol id="icon-(\w+)"', text))


def test_every_icon_that_is_used_is_there() -> None:
    used = {icon for _, _, icon in [*wording.STATUSES.values(), wording.WARNING]}
    assert used <= icons()
    for name in ("base", "macros", "verify", "result"):
        text = document(f"node/testamur/web/templates/{name}.html")
        assert set(re.findall(r'icon\("(\w+)"\)|#icon-(\w+)"', text)) <= {
            pair for icon in icons() for pair in ((icon, ""), ("", icon))
        }


def test_every_check_of_the_format_has_a_title() -> None:
    text = document("docs/formats/report.md")
    named = set(re.findall(r"^\| \d \| `(\w+)` \|", text, re.MULTILINE))
    assert len(named) >= 9
    assert named <= set(wording.CHECKS)


@pytest.mark.parametrize("code", sorted(WARNINGS))
def test_a_warning_looks_like_one_and_says_what_to_do(code: str) -> None:
    warned = Check("issuer", Status.UNKNOWN, code, "Look here.")
    shown = shown_report(
        made_report(Verdict.VERIFIED_WITH_WARNINGS, warned, replace(warned, code="other")),
        node="x",
        now=0,
    )
    assert [check.word for check in shown.checks] == ["Warning", "Not checked"]
    assert shown.steps == wording.STEPS_BY_CODE[code]
    assert len(shown.steps) > len(wording.VERDICTS[Verdict.VERIFIED_WITH_WARNINGS].steps)


def test_the_network_is_named_unless_it_is_a_main_one() -> None:
    labels = {
        kind: shown_report(
            made_report(Verdict.VERIFIED, network=Network("n", kind)), node="x", now=0
        ).network
        for kind in NetworkKind
    }
    assert labels.pop(NetworkKind.MAIN) is None
    assert None not in labels.values()


def test_an_error_of_the_node_says_nothing_about_the_file() -> None:
    shown = shown_problem("store_unavailable", "the disk is full", retry=True, network=LOCAL)
    assert shown.words is wording.VERDICTS[Verdict.COULD_NOT_CHECK]
    assert "says nothing about the credential" in shown.summary
    assert "disk" not in shown.summary
    assert shown.does_not_prove is None  # "this proves …" would be wrong where nothing was found


def test_the_advice_is_for_codes_that_there_are() -> None:
    known = {kind.code for kind in classes()} | {"other_ledger", "internal_error"}
    assert set(wording.ADVICE) <= known
    assert {CredentialError.code, FormatError.code} & set(wording.ADVICE)
