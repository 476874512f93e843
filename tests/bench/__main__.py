"""`python -m bench`: every measurement, or those that are named."""

import argparse
import json
import platform
import sys
import tempfile
from pathlib import Path

from bench import chaos, echo, gates, gdrive, github, memory, pieces, query, replicas, slack, start, vector
from bench.report import Result, table
from bench.setting import Setting

_PARTS = {
    "echo": echo,
    "start": start,
    "query": query,
    "memory": memory,
    "pieces": pieces,
    "replicas": replicas,
    "chaos": chaos,
    "gates": gates,
    "github": github,
    "slack": slack,
    "gdrive": gdrive,
    "vector": vector,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(_PARTS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--json", action="store_true", help="JSON on stdout, the table on stderr")
    options = parser.parse_args()
    unknown = [name for name in options.parts if name not in _PARTS]
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}")
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="ringmain-bench-") as folder:
        for name in options.parts or _PARTS:
            place = Path(folder, name)
            place.mkdir()
            found = _PARTS[name].measure(Setting(place), quick=options.quick)
            print(table(found), end="\n\n", file=sys.stderr if options.json else sys.stdout, flush=True)
            results += found
    if options.json:
        machine = {"python": platform.python_version(), "machine": platform.machine()}
        json.dump(machine | {"results": [result.as_json() for result in results]}, sys.stdout, indent=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
