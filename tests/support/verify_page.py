"""The verify page in a real browser, as a person uses it, and all that it sends."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from playwright.sync_api import Browser, ConsoleMessage, FilePayload, Page, Request, expect

SECONDS_MAX = 20
_RESULT = "#outcome > .result"

File: TypeAlias = tuple[str, bytes]
"""Name and content."""


@dataclass(slots=True)
class VerifyPage:
    """One open page; whatever it requested and complained about is kept."""

    page: Page
    """Playwright's handle."""
    url: str
    """Of its node."""
    requests: list[Request] = field(default_factory=list)
    """Everything it asked for, from anyone."""
    complaints: list[str] = field(default_factory=list)
    """Errors on its console, violations of its policy included."""

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The JSON bodies that were sent, in order."""
        bodies = [one.post_data_buffer for one in self.requests]
        return [json.loads(body) for body in bodies if body is not None]

    def open(self, path: str = "/") -> None:
        """Load the page anew, forget what was, and wait until it takes files."""
        self.page.goto("about:blank")  # else another fragment alone would load nothing
        self.requests.clear()
        self.complaints.clear()
        self.page.goto(self.url + path)
        expect(self.page.locator("#local")).to_be_visible()
        expect(self.page.locator("#upload")).to_be_hidden()

    def choose(self, *files: File) -> None:
        """Choose files, all at once."""
        self.page.set_input_files("#files", payloads(files))

    def drop(self, *files: File) -> None:
        """Drop files on the page."""
        given = [{"name": name, "data": list(data)} for name, data in files]
        self.page.evaluate(
            """files => {
                const carried = new DataTransfer();
                for (const { name, data } of files) {
                    carried.items.add(new File([new Uint8Array(data)], name));
                }
                document.getElementById("drop").dispatchEvent(new DragEvent(
                    "drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
            }""",
            given,
        )

    def expect_verdict(self, word: str) -> None:
        """Wait until a result is shown, and check how it is announced."""
        expect(self.page.locator("#verdict")).to_have_text(word, timeout=SECONDS_MAX * 1000)

    @property
    def summary(self) -> str:
        """The sentence that stands first in the result."""
        return self.page.locator(f"{_RESULT} .summary").inner_text()

    @property
    def text(self) -> str:
        """All that the result shows."""
        return " ".join(self.page.locator(_RESULT).inner_text().split())

    @property
    def given(self) -> list[str]:
        """What the page says that it was given."""
        return self.page.locator("#given li").all_inner_texts()

    @property
    def is_too_wide(self) -> bool:
        """Whether one has to scroll sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))

    def expect_quiet(self) -> None:
        """Check that the console had no error, and that nobody but the node was asked."""
        assert self.complaints == []
        strangers = [one.url for one in self.requests if not one.url.startswith(self.url + "/")]
        assert strangers == []


def payloads(files: Sequence[File]) -> list[FilePayload]:
    """Give files as Playwright takes them."""
    return [{"name": name, "mimeType": "", "buffer": data} for name, data in files]


@contextmanager
def opened(browser: Browser, url: str, path: str = "/", **given: Any) -> Iterator[VerifyPage]:
    """Open the verify page of a node in a browser profile of its own."""
    settings: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}} | given
    context = browser.new_context(**settings)
    try:
        page = context.new_page()
        shown = VerifyPage(page, url)

        def note(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                shown.complaints.append(message.text)

        def note_request(request: Request) -> None:
            shown.requests.append(request)

        page.on("request", note_request)
        # From the start: a chooser that opens before anyone listens is never reported.
        page.on("filechooser", lambda _: None)
        page.on("console", note)
        page.on("pageerror", lambda error: shown.complaints.append(str(error)))
        if settings.get("java_script_enabled", True):
            shown.open(path)
        else:
            page.goto(url + path)
        yield shown
    finally:
        context.close()
