"""What the calls left in the audit: read, verified, and edited on a copy to see that it is noticed."""

import json
import shutil
from pathlib import Path

from demo.questions import BEHIND_FENCE
from demo.server import Operator
from showing.failed import expect
from showing.terminal import Terminal

# Principal, target and codes of what was refused above, and must be on record.
_REFUSALS = (
    ("analyst", "query", ("statement_refused",)),
    ("intern", "query", ("unknown",)),
    ("intern", "describe_object", BEHIND_FENCE),
    ("anonymous", None, ("unauthenticated",)),
)
# What stood in statements and their parameters.
_VALUES = ("/etc/passwd", "America/New_York", "HNL")


def show_trail(operator: Operator, terminal: Terminal) -> None:
    """The newest records, and that all of them are genuine."""
    operator.run("audit", "tail", "-n", "18")
    records = [json.loads(line) for line in operator.audit_log.read_bytes().splitlines()]
    for principal, target, codes in _REFUSALS:
        of_caller = [record for record in records if record.get("principal") == principal]
        found = {record.get("code") for record in of_caller if record.get("target") == target}
        expect(found & set(codes), f"The audit should have {principal}'s refused call: {target or 'any'}.")
    kept = json.dumps(records)
    for value in _VALUES:
        expect(value not in kept, f"The audit must not keep what statements ask for, but has {value}.")
    terminal.checked("every refusal above is on record; statements are, without the values in them")
    said = operator.run("audit", "verify")
    expect(f"{len(records):,} records verified" in said, f"All {len(records):,} records should be verified.")


def tamper_with_a_copy(operator: Operator, terminal: Terminal, folder: Path) -> None:
    """Edit one record of a copy: the intern's refused call shall have been allowed."""
    copy = folder / "copy"
    shutil.copytree(operator.audit_log.parent, copy)
    log = copy / operator.audit_log.name
    lines = log.read_text(encoding="ascii").splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if '"intern"' in line and '"outcome":"refused"' in line)
    lines[at] = lines[at].replace('"outcome":"refused"', '"outcome":"ok"')
    log.write_text("".join(lines), encoding="ascii")
    terminal.question(f"On a copy, somebody edits record {at + 1}: the intern's refused call becomes `ok`.")
    said = operator.run("audit", "verify", str(log), status=1, shown="audit verify copy/audit.jsonl")
    expect(f"{at + 1}" in said, f"`audit verify` should name record {at + 1}.")
