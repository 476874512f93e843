"""Read-only SQL that is really read-only: what a statement may run is judged before anything runs."""

from ringmain_postgres.sql.catalogue import Fetch
from ringmain_postgres.sql.guard import SESSION_SETTINGS, Checked, Guard, Kind, Shape
from ringmain_postgres.sql.kept import keepable
from ringmain_postgres.sql.policy import Policy
from ringmain_postgres.sql.recall import Recall, holds_sql
from ringmain_postgres.sql.refused import SqlRefused

__all__ = [
    "SESSION_SETTINGS",
    "Checked",
    "Fetch",
    "Guard",
    "Kind",
    "Policy",
    "Recall",
    "Shape",
    "SqlRefused",
    "holds_sql",
    "keepable",
]
