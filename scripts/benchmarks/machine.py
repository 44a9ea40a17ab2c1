"""On what a run was made: hardware and versions, never a path and never the machine's name."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
import ssl
from importlib.metadata import version
from pathlib import Path
from typing import Final

PACKAGES: Final = ("fastapi", "uvicorn", "uvloop", "sqlalchemy", "py-evm", "blockcerts-merkletools")
_GIB: Final = 2**30


def describe(directory: Path) -> dict[str, str]:
    """Describe this machine, with the file system that ``directory`` is on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "CPU": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory / _GIB:.1f} GiB",
        "file system": file_system(directory),
        "load before the run": f"{os.getloadavg()[0]:.2f}",
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": platform.python_version(),
        "OpenSSL": ssl.OPENSSL_VERSION.removeprefix("OpenSSL "),
        "SQLite": sqlite3.sqlite_version,
    } | {name: version(name) for name in PACKAGES}


def file_system(directory: Path) -> str:
    """Name the kind of file system that holds ``directory``, such as ``ext4``."""
    mounts = Path("/proc/self/mounts")
    if not mounts.is_file():
        return "unknown"
    kinds = {
        Path(point): kind for _, point, kind, *_ in map(str.split, mounts.read_text().splitlines())
    }
    whole = directory.resolve()
    return next(kinds[folder] for folder in (whole, *whole.parents) if folder in kinds)


def _processor() -> str:
    """Name the processor: its brand is often shortened by hypervisors, so family and model too."""
    known = Path("/proc/cpuinfo")
    text = known.read_text() if known.is_file() else ""
    fields = dict(re.findall(r"^([^\t:]+)\t*: (.*)$", text, re.MULTILINE))
    if "model name" not in fields:
        return platform.processor() or platform.machine()
    sha = "with" if " sha_ni" in fields.get("flags", "") else "without"
    return (
        f"{fields['model name']} (family {fields.get('cpu family')}, model {fields.get('model')}), "
        f"{sha} SHA instructions"
    )


def resident_mib(process: int) -> float:
    """Give the resident memory of a process in MiB, from Linux's /proc."""
    status = Path(f"/proc/{process}/status").read_text()
    (kib,) = re.findall(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    return int(kib) / 1024
