"""URLs as they may be shown: providers put keys into user info, path and query alike."""

from __future__ import annotations

from urllib.parse import urlsplit

MASKED = "<masked URL>"


def mask_url(url: str) -> str:
    """Give scheme and host of ``url``, with the port; nothing else of it, whatever it holds."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # unbalanced brackets, a port that is no number
        return MASKED
    if not parts.scheme or not host:
        return MASKED
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")


def scrub(text: str, url: str) -> str:
    """Take ``url`` and its secret parts out of a foreign message, and cut it to one short line.

    Libraries quote a URL as a whole, or its path with the query; both are replaced.
    """
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    secrets = {url, target, parts.path, parts.query, parts.username or "", parts.password or ""}
    # The longest first, so that no replacement tears a longer one apart. A lone slash is no
    # secret and would garble everything.
    for secret in sorted(secrets - {"", "/"}, key=len, reverse=True):
        text = text.replace(secret, "<masked>")
    return " ".join(text.split())[:300]
