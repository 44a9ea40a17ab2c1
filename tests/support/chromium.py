"""The browser of all tests that need one: Chromium, headless, with no network but loopback."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, sync_playwright

from tests.support.optional import require

FLAGS: Final = (
    # Every name and address but this one is unknown, so that no page calls out of the machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a browser that was just started; skip the test where Chromium is not installed."""
    path = shutil.which("chromium")
    require(path is not None, "what needs a browser: the command chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=FLAGS,
            # Chromium's sandbox does not work for root, which containers of CI often are.
            chromium_sandbox=os.geteuid() != 0,
        )
        try:
            yield browser
        finally:
            browser.close()
