"""docs/formats/errors.md, made from the classes of testamur.errors."""

from __future__ import annotations

import inspect
from typing import Final

from testamur import errors

INTRODUCTION: Final = """\
# Errors

Every error that Testamur raises in normal operation has a stable code: for programs, in the
`code` of a problem document (RFC 9457) over HTTP, and in the `code` of a report's check where the
error decided it. This page is made from `testamur.errors` by `scripts/vectors`; a test compares.

- A program MUST branch on `code`, never on the message, which is for people and may change.
- A program MUST treat a code that it does not know as an error, of the family it was met in.
- A code is never given a second meaning. A code that is no longer raised stays reserved.
- An error says nothing about a credential; only a [report](report.md) does. So a failed disk or a
  silent chain can be read neither as "forged" nor as "fine".

Over HTTP there are besides: `no_such_resource` (404) and `method_not_allowed` (405) where nothing
of ours was reached, `range_not_satisfiable` (416) where a range of bytes begins beyond the end, and
`internal_error` (500): a mistake of ours, answered without its cause.

In the tables a class stands under the one that it refines, and shares its advice where it has none
of its own; `-` means that there is none.
"""


def page() -> bytes:
    """Make the whole page."""
    parts = [INTRODUCTION, _table("All errors", [errors.TestamurError])]
    families = errors.TestamurError.__subclasses__()
    parts += [_table(family.__name__, _below(family)) for family in families]
    return "\n".join(parts).encode()


def classes() -> list[type[errors.TestamurError]]:
    """Every error class, each after the one that it refines."""
    return _below(errors.TestamurError)


def _below(kind: type[errors.TestamurError]) -> list[type[errors.TestamurError]]:
    found = [kind]
    for refined in kind.__subclasses__():
        found += _below(refined)
    # A test or a plug-in may refine an error of ours; the page is about ours alone.
    return [one for one in found if one.__module__.startswith(errors.__name__)]


def _table(title: str, kinds: list[type[errors.TestamurError]]) -> str:
    lines = [f"## {title}", "", "| code | class | meaning | advice |", "| --- | --- | --- | --- |"]
    for kind in kinds:
        first = inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0]
        meaning = " ".join(first.replace("``", "`").split())
        advice = kind.advice or "-"
        lines.append(f"| `{kind.code}` | `{kind.__name__}` | {meaning} | {advice} |")
    return "\n".join(lines) + "\n"
