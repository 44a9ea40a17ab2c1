"""How the demo is told: acts, commands, remarks, and expectations that held or did not."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel


@dataclass(slots=True)
class Story:
    """What was told, and whether each expectation held."""

    console: Console
    """Where it is told."""
    held: int = 0
    """Expectations that held."""
    broken: list[str] = field(default_factory=list)
    """Those that did not."""

    def act(self, role: str, plot: str) -> None:
        """Open an act."""
        self.console.print()
        self.console.print(
            Panel(plot, title=f"[bold]{role}[/bold]", title_align="left", border_style="cyan")
        )

    def typed(self, *arguments: str) -> None:
        """Show a command as a person would type it."""
        shown = " ".join(Path(a).name if "/" in a and "://" not in a else a for a in arguments)
        self._print(f"[dim]$ testamur {escape(shown)}[/dim]", indent=2)

    def said(self, text: str) -> None:
        """Tell something that is not an expectation."""
        self._print(text, indent=4)

    def _print(self, text: str, *, indent: int) -> None:
        self.console.print(Padding(text, (0, 0, 0, indent)))

    def expect(self, held: object, text: str, *, otherwise: str = "") -> None:
        """Tell an expectation, and whether it held."""
        if held:
            self.held += 1
            self._print(f"[green]✓[/green] {text}", indent=2)
        else:
            self.broken.append(text)
            detail = f" [dim]{escape(otherwise[-600:])}[/dim]" if otherwise else ""
            self._print(f"[red]✗ {text}[/red]{detail}", indent=2)
