"""The audit log: one line per request, chained, so that later changes show."""

from ringmain_core.audit.errors import AuditUnavailable
from ringmain_core.audit.keys import AuditKey, load_or_create_key
from ringmain_core.audit.log import AuditLog, Stats
from ringmain_core.audit.record import AuditRecord, Outcome, Phase

__all__ = [
    "AuditKey",
    "AuditLog",
    "AuditRecord",
    "AuditUnavailable",
    "Outcome",
    "Phase",
    "Stats",
    "load_or_create_key",
]
