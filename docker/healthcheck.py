# ruff: noqa: INP001 - a script of the image, in no package
"""Exit code 0 if the node in this container answers that it is alive, 1 if not.

Without urllib, which would ask a proxy that the environment names.
"""

import http.client
import os
import sys


def main() -> int:
    """Ask once, and wait for three seconds at most."""
    port = int(os.environ.get("TESTAMUR_PORT", "8180"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", "/health/live")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as exc:
        sys.stderr.write(f"no answer on port {port}: {exc}\n")
        return 1
    return 0 if status == http.HTTPStatus.OK else 1


if __name__ == "__main__":
    sys.exit(main())
