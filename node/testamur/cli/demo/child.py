"""``testamur`` as a process of the demo: it ends when the demo does, however the demo ends.

Its standard input is a pipe that nobody writes into and whose other end the demo alone holds. The
operating system closes that end with the demo, also when it is killed and can do nothing more.
"""

from __future__ import annotations

import os
import runpy
import signal
import threading


def _end_with_the_demo() -> None:
    while os.read(0, 1):
        pass
    # Without more ado: what a node has acknowledged survives that.
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_demo, name="end with the demo", daemon=True).start()
    runpy.run_module("testamur", run_name="__main__", alter_sys=True)  # as `python -m` does
