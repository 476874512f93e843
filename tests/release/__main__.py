"""`make release-check`: all that has to be right before a tag is published, on every Python that is here."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from contract.discover import ROOT
from release.report import Report
from release.running import Failed
from release.steps import check_archives, check_bills, check_installed, check_versions
from release.versions import workspace

_DIST = ROOT / "dist"
_INTERRUPTED = 130


def main() -> int:
    """Check everything and return the exit status: 0 only if all of it is right."""
    all_packages = workspace()
    connectors = {
        package.name.removeprefix("ringmain-"): package for package in all_packages if package.is_connector
    }
    parser = argparse.ArgumentParser(prog="release", description=__doc__)
    parser.add_argument("--tag", help="what is to be released, as v1.2.3 (default: the tag of this commit)")
    parser.add_argument("--python", action="append", metavar="3.X", help="only this one; may be repeated")
    parser.add_argument(
        "--only", action="append", choices=connectors, help="install only this connector; may be repeated"
    )
    options = parser.parse_args()
    report = Report()
    try:
        with tempfile.TemporaryDirectory(prefix="ringmain-release-") as folder:
            below = Path(folder)
            check_versions(report, all_packages, options.tag or _tag_here())
            check_archives(report, all_packages, _DIST, below)
            check_bills(report, all_packages, _DIST / "sbom")
            for name in options.only or connectors:
                check_installed(
                    report, connectors[name], options.python or connectors[name].pythons, _DIST, below / name
                )
    except Failed as error:  # without which there is nothing more to look at
        report.check("stopped", [str(error)])
    except KeyboardInterrupt:
        report.say("Stopped; nothing is left behind.")
        return _INTERRUPTED
    report.conclude()
    return 1 if report.faults else 0


def _tag_here() -> str | None:
    """The tag of a version on the commit that is checked out; `None` where there is none."""
    asked = subprocess.run(
        ["git", "tag", "--points-at", "HEAD", "--list", "v*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.split("\n")[0] or None


if __name__ == "__main__":
    sys.exit(main())
