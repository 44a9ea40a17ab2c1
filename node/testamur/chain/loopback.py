"""Which hosts are this machine: what is asked there needs no encryption, and no proxy."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches ``host``; a name that is not known is no such."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_plain_and_here(url: str) -> bool:
    """Whether ``url`` is plain HTTP to this machine.

    A proxy that the environment names would see what is meant to stay here, and could not reach
    this machine from where it is.
    """
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and is_loopback(parts.hostname or "")
    except ValueError:  # no URL
        return False
