"""What the tools return."""

from typing import Any

from pydantic import BaseModel

from ringmain_core.results import Answer
from ringmain_core.text import untrusted


class DatabaseEntry(BaseModel):
    """One configured database."""

    name: str
    reachable: bool
    server: str = ""
    schemas: list[str] = []
    problem: str = ""


class DatabaseList(Answer):
    """The configured databases."""

    databases: list[DatabaseEntry]

    def text(self) -> str:
        lines = [
            f"{entry.name}: {entry.server}; schemas {', '.join(entry.schemas) or 'none'}"
            if entry.reachable
            else f"{entry.name}: not reachable now. {entry.problem}"
            for entry in self.databases
        ]
        return "\n".join(lines)


class SchemaObject(BaseModel):
    """Something in a schema; sizes are the planner's estimates."""

    kind: str
    name: str
    comment: str | None = None
    rows: int | None = None
    bytes: int | None = None
    columns: list[str] | None = None


class ObjectPage(Answer):
    """One page of what was found."""

    database: str
    objects: list[SchemaObject]
    next_cursor: str | None = None

    def text(self) -> str:
        if not self.objects:
            return "Nothing found. Try a shorter pattern, other `kinds`, or leave `schema` out."
        body = untrusted("\n".join(map(_object_line, self.objects)), f"{self.database} catalogue")
        more = f"\nMore with cursor={self.next_cursor!r}" if self.next_cursor else ""
        return f"{body}{more}"


def _object_line(found: SchemaObject) -> str:
    line = f"{found.kind} {found.name}"
    if found.rows is not None:
        line += f", ~{found.rows:,} rows"
    if found.bytes is not None:
        line += f", {_size(found.bytes)}"
    if found.comment:
        line += f" -- {found.comment}"
    if found.columns:
        line += f"\n  ({', '.join(found.columns)})"
    return line


class ObjectDescription(Answer):
    """Everything asked for about one object; the sections that do not apply are left out."""

    database: str
    name: str
    kind: str
    comment: str | None = None
    columns: list[str] | None = None
    constraints: list[str] | None = None
    referenced_by: list[str] | None = None
    indexes: list[str] | None = None
    triggers: list[str] | None = None
    policies: list[str] | None = None
    stats: dict[str, Any] | None = None
    ddl: str | None = None

    def text(self) -> str:
        lines = [f"{self.kind} {self.name}"]
        if self.comment:
            lines.append(f"comment: {self.comment}")
        for title in ("columns", "constraints", "referenced_by", "indexes", "triggers", "policies"):
            entries: list[str] | None = getattr(self, title)
            if entries:
                lines += [f"{title}:", *(f"  {entry}" for entry in entries)]
        if self.stats:
            lines.append("stats: " + ", ".join(f"{key} {value}" for key, value in self.stats.items()))
        if self.ddl:
            lines += ["ddl:", self.ddl]
        return untrusted("\n".join(lines), f"{self.database} catalogue")


class Plan(Answer):
    """How Postgres would run a statement, or did."""

    database: str
    plan: list[str]
    warnings: list[str]
    cost: float
    rows: int
    actual_ms: float | None = None

    def text(self) -> str:
        total = f"estimated cost {self.cost:,.0f}, rows {self.rows:,}"
        if self.actual_ms is not None:
            total += f"; took {self.actual_ms:,.1f} ms"
        warnings = "\n".join(f"- {warning}" for warning in self.warnings)
        body = untrusted("\n".join(self.plan), f"{self.database} plan")
        return f"{total}\n{body}" + (f"\nWorth a look:\n{warnings}" if warnings else "")


class Posture(Answer):
    """What the configured role could do by itself, whatever this server lets through."""

    database: str
    role: str
    findings: list[str]
    grant_script: str

    def text(self) -> str:
        if not self.findings:
            return f"{self.database}: the role {self.role} can only read. Nothing to mend."
        found = "\n".join(f"- {finding}" for finding in self.findings)
        return (
            f"{self.database}: the role {self.role} could do more than read (this server refuses it all the "
            f"same):\n{found}\nAn administrator can make a role that only reads:\n{self.grant_script}"
        )


def _size(size: int) -> str:
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TB"
