"""What is counted, and what operators are told about it."""

from ringmain_core.telemetry.series import Family

SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)
"""The buckets that OpenTelemetry's conventions for MCP give to durations."""

_BYTES = (256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576)

CALLS = Family(
    "ringmain_calls",
    "counter",
    "Calls that have ended, refused ones included; `code` names a failure.",
    ("method", "target", "version", "outcome", "code"),
)
CALLS_BY_PRINCIPAL = Family(CALLS.name, CALLS.kind, CALLS.text, (*CALLS.labels, "principal"))
DURATION = Family(
    "ringmain_call_duration_seconds",
    "histogram",
    "Time from a call's arrival to its answer.",
    ("method", "target", "outcome"),
    SECONDS,
)
ANSWER = Family(
    "ringmain_answer_bytes", "histogram", "Text in an answer, in UTF-8.", ("method", "target"), _BYTES
)
RUNNING = Family("ringmain_calls_running", "gauge", "Calls that have not ended yet.")
STREAMS = Family("ringmain_listen_streams", "gauge", "Open streams of `subscriptions/listen`.")
REFUSALS = Family(
    "ringmain_refusals",
    "counter",
    "Requests that were refused, by what refused them; `front` did before there was a call.",
    ("gate", "code"),
)
UPSTREAM = Family(
    "ringmain_upstream_duration_seconds",
    "histogram",
    "Time of one try of a call to the system behind.",
    ("system", "outcome"),
    SECONDS,
)
RETRIES = Family("ringmain_upstream_retries", "counter", "Tries after one that failed.", ("system",))
BREAKER = Family(
    "ringmain_upstream_breaker",
    "gauge",
    "Processes whose breaker for the system behind is in this state.",
    ("system", "state"),
)
CACHE = Family(
    "ringmain_cache_lookups",
    "counter",
    "Looks into the cache; `joined` waited for somebody else's answer.",
    ("name", "result"),
)
AUDIT_RECORDS = Family("ringmain_audit_records", "counter", "Records written to the audit.")
AUDIT_FAILED = Family("ringmain_audit_failed", "counter", "Requests that failed for want of the audit.")
AUDIT_HEALTHY = Family(
    "ringmain_audit_healthy", "gauge", "1 while the audit can be written, in every worker.", workers="min"
)
METERS = Family("ringmain_rate_limit_meters", "gauge", "Meters of the rate limit that are kept in memory.")

FAMILIES = (
    DURATION,
    ANSWER,
    RUNNING,
    STREAMS,
    REFUSALS,
    UPSTREAM,
    RETRIES,
    BREAKER,
    CACHE,
    AUDIT_RECORDS,
    AUDIT_FAILED,
    AUDIT_HEALTHY,
    METERS,
)
"""All but the calls, of which there are two forms."""
