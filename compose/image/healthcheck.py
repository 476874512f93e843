#!/usr/bin/env python3
"""Whether the server in this container answers; over stdio, whether there is one is all that can be known."""

import os
import sys
from argparse import ArgumentParser
from http.client import HTTPConnection, HTTPException
from pathlib import Path

_WITHIN = 4.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (asked, not listened on)


def main() -> str | None:
    """Ask `/healthz` where the container's process was told to `serve`.

    Returns:
        What is wrong, if anything.
    """
    command = Path("/proc/1/cmdline").read_text(encoding="utf-8").split("\0")
    if "serve" not in command:
        return None
    parser = ArgumentParser(add_help=False)
    parser.add_argument("--host", default=os.environ.get("RINGMAIN_HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=os.environ.get("RINGMAIN_PORT", "8080"))
    given, _ = parser.parse_known_args(command[command.index("serve") + 1 :])
    host: str = given.host
    connection = HTTPConnection(_EVERYWHERE.get(host, host), given.port, timeout=_WITHIN)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        answer = connection.getresponse()
    except (OSError, HTTPException) as error:
        return f"{host} port {given.port} does not answer: {error}"
    else:
        return None if answer.status == 200 else f"/healthz answers {answer.status}"
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
