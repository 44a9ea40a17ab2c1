"""The command ``testamur``, also as ``python -m testamur``; light, so that it begins at once."""

from __future__ import annotations

import signal


def main() -> None:
    """Run the command and exit with its code."""
    # While modules are loaded, and when all is done, there is nothing to end in order: Ctrl-C
    # then ends the process without a trace. Where it is ignored (nohup, &), it stays ignored.
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from testamur.bootstrap import main as run  # noqa: PLC0415 (this is what takes long)

    if interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        run()
    finally:
        if interruptible:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    main()
