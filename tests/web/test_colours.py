"""The colours of the pages keep the contrast of WCAG 2.2, level AA, in light and in dark."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.support.documents import page as document

STYLE: Final = document("node/testamur/web/static/page.css")
TONES: Final = ("good", "warn", "bad", "wait", "unknown")
TEXT_PAIRS: Final = [
    *((text, ground) for text in ("text", "quiet", "accent") for ground in ("page", "card")),
    ("on-accent", "accent"),
    ("text", "wait-ground"),
    *((tone, f"{tone}-ground") for tone in TONES),
    *((tone, "card") for tone in TONES),
]
"""Text and what it stands on: 4.5 to 1 (success criterion 1.4.3)."""
OTHER_PAIRS: Final = [("edge", "page"), ("edge", "card"), ("focus", "page"), ("focus", "card")]
"""Edges of controls and the ring of the focus: 3 to 1 (1.4.11)."""


def colours(scheme: str) -> dict[str, str]:
    light, dark = STYLE.split("@media (prefers-color-scheme: dark)", 1)
    text = light if scheme == "light" else dark.split("}\n}")[0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text))


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_is_21_to_1() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


def test_both_schemes_have_every_colour() -> None:
    assert set(colours("light")) == set(colours("dark")) >= {name for name, _ in TEXT_PAIRS}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_can_be_read(scheme: str, text: str, ground: str) -> None:
    found = colours(scheme)
    assert contrast(found[text], found[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), OTHER_PAIRS)
def test_edges_can_be_seen(scheme: str, edge: str, ground: str) -> None:
    found = colours(scheme)
    assert contrast(found[edge], found[ground]) >= 3
