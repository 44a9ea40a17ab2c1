"""The decisions have their form, their index is complete, and no page has a dead link."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
ADR: Final = ROOT / "docs" / "adr"
PAGES: Final = sorted(ADR.glob("[0-9]*.md"))
SECTIONS: Final = ["Context", "Forces", "Options", "Decision", "What we give up"]
STATUS: Final = re.compile(r"proposed|accepted|superseded by \d{4}")
WORDS_MAX: Final = 1000
"""One page with a table; whoever needs more has two decisions."""

INDEX_LINE: Final = re.compile(
    r"^\| \[(?P<number>\d{4})\]\((?P<file>[^)]+)\) \| (?P<title>.+) \| (?P<status>.+) \|$",
    re.MULTILINE,
)
FENCED: Final = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
INLINE_CODE: Final = re.compile(r"`[^`\n]*`")
LINK: Final = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
REFERENCE: Final = re.compile(r"^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
HEADING: Final = re.compile(r"^#{1,6} +(.+?)\s*#*$", re.MULTILINE)
FOREIGN: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def documents() -> list[Path]:
    names = ["README", "ARCHITECTURE", "CONTRIBUTING", "CHANGELOG", "SECURITY"]
    top = [ROOT / f"{name}.md" for name in names]
    return sorted((ROOT / "docs").rglob("*.md")) + [path for path in top if path.exists()]


def headings(text: str, level: int) -> list[str]:
    return re.findall(rf"^{'#' * level} (.+)$", FENCED.sub("", text), re.MULTILINE)


def header(text: str, name: str) -> str:
    found = re.search(rf"^- {name}: (.+)$", text, re.MULTILINE)
    assert found, f"no line '- {name}: ...' under the title"
    return found.group(1)


def anchors(path: Path) -> set[str]:
    """Give the fragments that a Markdown renderer makes of the headings."""
    made: set[str] = set()
    for heading in HEADING.findall(FENCED.sub("", path.read_text(encoding="utf-8"))):
        slug = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower())
        slug = slug.replace(" ", "-")
        repeats = sum(1 for other in made if re.fullmatch(re.escape(slug) + r"(-\d+)?", other))
        made.add(f"{slug}-{repeats}" if repeats else slug)
    return made


def dead_links(path: Path, root: Path) -> list[str]:
    """Give the relative links of a page that lead to nothing, or out of the repository."""
    text = INLINE_CODE.sub("", FENCED.sub("", path.read_text(encoding="utf-8")))

    def is_dead(target: str) -> bool:
        name, _, fragment = target.partition("#")
        aim = (path.parent / name).resolve() if name else path.resolve()
        if not aim.is_relative_to(root.resolve()) or not aim.exists():
            return True
        return bool(fragment) and aim.suffix == ".md" and fragment not in anchors(aim)

    targets = LINK.findall(text) + REFERENCE.findall(text)
    return [target for target in targets if not FOREIGN.match(target) and is_dead(target)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem[:4])
def test_a_decision_has_its_sections_in_order_and_fills_them(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert headings(text, 2) == SECTIONS
    for section in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]:
        assert section.strip()
    assert len(text.split()) <= WORDS_MAX


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem[:4])
def test_a_decision_says_its_number_status_and_date(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    (title,) = headings(text, 1)
    assert re.fullmatch(r"\d{4}(-[a-z0-9]+)+", page.stem)
    assert title.startswith(f"{page.stem[:4]}: ")
    assert STATUS.fullmatch(header(text, "Status"))
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", header(text, "Date"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem[:4])
def test_a_decision_weighs_at_least_two_options_with_good_and_bad(page: Path) -> None:
    options = page.read_text(encoding="utf-8").split("\n## Options\n")[1].split("\n## ")[0]
    weighed = re.split(r"^### .+$", options, flags=re.MULTILINE)[1:]
    assert len(weighed) >= 2
    for option in weighed:
        assert "\n- Good: " in option
        assert "\n- Bad: " in option


def test_numbers_run_from_1_without_gap_or_repeat() -> None:
    assert [int(page.stem[:4]) for page in PAGES] == list(range(1, len(PAGES) + 1))


def test_the_index_lists_all_decisions_and_only_them_as_they_are() -> None:
    listed = [line.groupdict() for line in INDEX_LINE.finditer((ADR / "README.md").read_text())]
    actual = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        (title,) = headings(text, 1)
        number, _, name = title.partition(": ")
        actual.append(
            {"number": number, "file": page.name, "title": name, "status": header(text, "Status")}
        )
    assert listed == actual


def test_a_superseded_decision_names_one_that_exists() -> None:
    numbers = {page.stem[:4] for page in PAGES}
    for page in PAGES:
        status = header(page.read_text(encoding="utf-8"), "Status")
        if status.startswith("superseded"):
            assert status[-4:] in numbers - {page.stem[:4]}


def test_the_template_has_the_form_that_is_asked_for() -> None:
    text = (ADR / "template.md").read_text(encoding="utf-8")
    assert headings(text, 2) == SECTIONS
    assert STATUS.fullmatch(header(text, "Status"))


@pytest.mark.parametrize("page", documents(), ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_has_a_dead_relative_link(page: Path) -> None:
    assert dead_links(page, ROOT) == []


def test_dead_links_are_found_and_living_ones_are_not(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A heading, with `code`\n\n## Twice\n\n## Twice\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Here\n[a](other.md) [b](other.md#a-heading-with-code) [c](#here) [d](https://x.y/z)\n"
        "[e](other.md#twice-1) [f](mailto:someone) `[g](in-code.md)`\n"
        "```\n[h](in-a-fence.md)\n```\n"
        "[i](gone.md) [j](other.md#gone) [k](#gone) [l](../outside.md)\n\n[m]: gone-too.md\n"
    )
    assert dead_links(page, tmp_path) == [
        "gone.md",
        "other.md#gone",
        "#gone",
        "../outside.md",
        "gone-too.md",
    ]
