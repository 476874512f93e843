"""The names on which the judgement rests, in families, each with its reason."""

import re
from fnmatch import fnmatchcase


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ONLY_QUERIES = "Send a SELECT, VALUES, TABLE or WITH query, a plain EXPLAIN of one, or SHOW of one setting."
_WRITE = "Ask a person to change data."
_SESSION = "Every call runs in its own transaction with settings chosen by the operator; just send the query."

STATEMENTS: dict[str, tuple[str, str]] = {
    "InsertStmt": ("INSERT", _WRITE),
    "UpdateStmt": ("UPDATE", _WRITE),
    "DeleteStmt": ("DELETE", _WRITE),
    "MergeStmt": ("MERGE", _WRITE),
    "TruncateStmt": ("TRUNCATE", _WRITE),
    "TransactionStmt": ("Transaction control", _SESSION),
    "VariableSetStmt": ("SET or RESET", _SESSION),
    "ConstraintsSetStmt": ("SET CONSTRAINTS", _SESSION),
    "DiscardStmt": ("DISCARD", _SESSION),
    "LockStmt": ("LOCK", _SESSION),
    "LoadStmt": ("LOAD", _SESSION),
    "AlterSystemStmt": ("ALTER SYSTEM", _SESSION),
    "CopyStmt": ("COPY", "Use SELECT; large results are paged."),
    "DoStmt": ("DO", "Write the logic as one query."),
    "CallStmt": ("CALL", "Procedures may write; query the tables instead."),
    "PrepareStmt": ("PREPARE", "Send the query itself, with $1 parameters."),
    "ExecuteStmt": ("EXECUTE", "Send the query itself, with $1 parameters."),
    "DeallocateStmt": ("DEALLOCATE", ONLY_QUERIES),
    "DeclareCursorStmt": ("DECLARE CURSOR", "Send the query itself; large results are paged."),
    "FetchStmt": ("FETCH", "Send the query itself; large results are paged."),
    "ListenStmt": ("LISTEN", "Subscribe to the channel's resource instead."),
    "NotifyStmt": ("NOTIFY", ONLY_QUERIES),
    "CreateTableAsStmt": ("CREATE TABLE AS", "Use a WITH query for intermediate results."),
    "RefreshMatViewStmt": ("REFRESH MATERIALIZED VIEW", "Query the tables that the view is made of."),
    "VacuumStmt": ("VACUUM or ANALYZE", ONLY_QUERIES),
    "ExplainStmt": ("EXPLAIN inside another statement", ONLY_QUERIES),
}
"""Kinds of statement that models try, with what to do instead."""

EXPLAIN_OPTIONS = frozenset({"verbose", "costs", "format", "summary", "generic_plan", "memory", "buffers"})
"""EXPLAIN options that do not run the statement. ANALYZE does, in any spelling."""

OLD_CALLS: dict[str, tuple[str, ...]] = {
    "JsonScalarExpr": ("json_scalar",),
    "JsonSerializeExpr": ("json_serialize",),
    "JsonParseExpr": ("json",),
    "JsonFuncExpr": ("json_value", "json_query", "json_exists"),
    "JsonTable": ("json_table",),
    "JsonObjectConstructor": ("json_object",),
    "JsonArrayConstructor": ("json_array",),
    "JsonArrayQueryConstructor": ("json_array",),
    "JsonObjectAgg": ("json_objectagg",),
    "JsonArrayAgg": ("json_arrayagg",),
}
"""Syntax since Postgres 16 and 17 which older servers read as a call of a function of that name."""

SERIALS = _words("serial serial2 serial4 serial8 smallserial bigserial")
"""What stands where a type stands, and is none."""

SAMPLING = frozenset({"system", "bernoulli", "system_rows", "system_time"})
BUILT_IN_SAMPLING = frozenset({"system", "bernoulli"})

MAX_SIZE = 1_000_000
SIZED = {"repeat": 1, "lpad": 1, "rpad": 1}
"""Functions that build a value as large as an argument says, and the position of that argument."""

VOLATILE_BUILT_INS = _words(
    """
    random random_normal clock_timestamp timeofday gen_random_uuid uuidv4 uuidv7 array_sample array_shuffle
    pg_relation_size pg_table_size pg_indexes_size pg_total_relation_size pg_database_size
    pg_tablespace_size pg_is_in_recovery pg_current_wal_lsn pg_current_wal_insert_lsn
    pg_current_wal_flush_lsn pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp
    pg_is_wal_replay_paused pg_blocking_pids pg_partition_tree pg_partition_ancestors
    pg_notification_queue_usage pg_collation_actual_version pg_database_collation_actual_version
    pg_sequence_last_value pg_jit_available pg_xact_commit_timestamp pg_xact_status txid_status
    current_query
    """
)
"""Volatile because their answer changes, not because they change anything."""

REFUSED_BUILT_INS: tuple[tuple[str, str, str], ...] = (
    (
        r"(query|table|schema|database|cursor)_to_xml(schema|_and_xmlschema)?|ts_stat",
        "runs SQL that is given to it as text",
        "Write the query itself.",
    ),
    (
        r"pg_input_is_valid|pg_input_error_info",
        "runs the input function of a type that is given to it as text",
        "Compare with a regular expression, e.g. `x ~ '^\\d+$'`.",
    ),
    (
        r"pg_(ls|read|stat)_(file|binary_file|dir).*|pg_ls_.*|pg_current_logfile|lo_.*|loread|lowrite",
        "reaches files or large objects on the server",
        "Query tables only.",
    ),
    (
        r".*_(validator|handler)",
        "is a part of the server's inner machinery and may load a library",
        "Leave it out.",
    ),
    (r"set_config|setseed", "changes the session", "Say what you need in the query itself."),
    (
        r"pg_(try_)?advisory_.*",
        "takes or releases locks that outlive the query",
        "Leave the lock out; a read needs none.",
    ),
    (r"nextval|setval|currval|lastval", "uses a sequence", "Read `last_value` from the sequence itself."),
    (
        r"pg_current_xact_id|txid_current|pg_export_snapshot|pg_logical_emit_message",
        "uses up transaction ids or leaves something behind in the write-ahead log",
        "Use `pg_current_xact_id_if_assigned()` or `pg_current_snapshot()`.",
    ),
    (r"pg_sleep.*", "only waits", "Leave it out."),
    (
        r"pg_stat_get_(activity|backend_.*|wal_receiver|wal_senders)|pg_prepared_statement|pg_cursor|pg_lock_status",
        "shows what others are doing, with their data in it",
        "Ask a person to look at it.",
    ),
    (
        r"pg_show_all_settings|pg_show_all_file_settings|pg_hba_file_rules|pg_ident_file_mappings",
        "shows the server's configuration, which may hold secrets",
        "Use SHOW with one setting's name.",
    ),
)
"""Refused whatever their volatility says: pattern of the whole name, what it does, what to do instead."""

_REFUSED_BUILT_INS = tuple((re.compile(pattern), does, hint) for pattern, does, hint in REFUSED_BUILT_INS)


def refused_built_in(name: str) -> tuple[str, str] | None:
    """Return what a built-in function of a refused family does, and what to do instead."""
    return next(((does, hint) for pattern, does, hint in _REFUSED_BUILT_INS if pattern.fullmatch(name)), None)


SECRET_RELATIONS: dict[str, str] = {
    **dict.fromkeys(("pg_authid", "pg_shadow"), "holds password hashes"),
    **dict.fromkeys(
        (
            "pg_user_mapping",
            "pg_user_mappings",
            "_pg_user_mappings",
            "user_mapping_options",
            "pg_subscription",
        ),
        "holds passwords for other servers",
    ),
    **dict.fromkeys(
        (
            "pg_settings",
            "pg_file_settings",
            "pg_db_role_setting",
            "pg_hba_file_rules",
            "pg_ident_file_mappings",
        ),
        "holds the server's configuration, which may contain secrets",
    ),
    **dict.fromkeys(
        (
            "pg_statistic",
            "pg_statistic_ext_data",
            "pg_stats",
            "pg_stats_ext",
            "pg_stats_ext_exprs",
        ),
        "holds samples of the data of every table",
    ),
    **dict.fromkeys(
        (
            "pg_stat_activity",
            "pg_stat_replication",
            "pg_stat_wal_receiver",
            "pg_cursors",
            "pg_prepared_statements",
        ),
        "shows the statements and connections of others",
    ),
    **dict.fromkeys(("pg_largeobject",), "holds the contents of large objects"),
}
"""Relations of the system that stay closed, whatever the role may read."""

SAFE_EXTENSIONS = _words(
    """
    vector pg_trgm hstore citext ltree unaccent fuzzystrmatch btree_gin btree_gist intarray cube
    earthdistance uuid-ossp pgcrypto isn seg tsm_system_rows tsm_system_time intagg dict_int dict_xsyn bloom
    postgis postgis_sfcgal h3 h3_postgis timescaledb
    timescaledb_toolkit pg_bigm rum hll topn tdigest prefix ip4r semver pg_uuidv7 vectorscale
    """
)
"""Extensions whose non-volatile C and SQL functions compute and nothing else.

Not here because they run SQL or read tables and files that are named by text: address_standardizer, pgroonga,
postgis_raster, pgrouting, tablefunc, xml2, dblink, the foreign data wrappers, adminpack, pageinspect.
"""

SAFE_INTERNAL = _words(
    """
    range_constructor2 range_constructor3 multirange_constructor0 multirange_constructor1
    multirange_constructor2
    """
)
"""What the server itself puts behind a user's range type."""

SAFE_EXTENSION_LANGUAGES = frozenset({"c", "internal", "sql"})

VOLATILE_EXTENSION_FUNCTIONS = _words(
    """
    uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 gen_random_bytes gen_random_uuid gen_salt
    uuid_generate_v7 system_rows system_time
    """
)
"""Volatile functions of those extensions that only draw random values or sample."""

SESSION_EXTENSION_FUNCTIONS = frozenset({"isn_weak", "set_limit"})
"""Functions of those extensions that change the session, some of them declared IMMUTABLE."""

COMMON_OPERATORS = _words(
    """
    = <> < > <= >= || ~ ~* !~ !~* ~~ !~~ ~~* !~~* + - * / %
    """
)
"""Operators of so many built-in types that Postgres never guesses a user's type behind plain literals."""

_PUBLIC_SETTINGS = _words(
    """
    application_name bytea_output client_encoding client_min_messages constraint_exclusion
    cpu_index_tuple_cost cpu_operator_cost cpu_tuple_cost cursor_tuple_fraction data_checksums datestyle
    deadlock_timeout effective_cache_size effective_io_concurrency extra_float_digits hash_mem_multiplier
    in_hot_standby integer_datetimes intervalstyle is_superuser jit lock_timeout logical_decoding_work_mem
    maintenance_work_mem parallel_setup_cost parallel_tuple_cost plan_cache_mode random_page_cost role
    row_security search_path seq_page_cost server_encoding server_version server_version_num
    session_authorization shared_buffers standard_conforming_strings statement_timeout temp_buffers
    temp_file_limit timezone timezone_abbreviations track_activities track_counts track_functions
    track_io_timing transaction_deferrable transaction_isolation transaction_read_only transaction_timeout
    wal_buffers wal_level work_mem xmlbinary xmloption checkpoint_timeout checkpoint_completion_target
    block_size segment_size wal_block_size wal_segment_size idle_in_transaction_session_timeout
    idle_session_timeout fsync full_page_writes synchronous_commit huge_pages bgwriter_delay
    bgwriter_lru_maxpages bgwriter_lru_multiplier hot_standby hot_standby_feedback
    """
)
_PUBLIC_SETTING_PATTERNS = (
    "enable_*",
    "autovacuum*",
    "max_*",
    "min_*",
    "default_*",
    "lc_*",
    "vacuum_*",
    "geqo*",
)


def is_public_setting(name: str) -> bool:
    """Whether a setting may be shown. Names with a dot belong to applications and are never shown."""
    lowered = name.lower()
    if not re.fullmatch(r"[a-z_0-9]+", lowered):
        return False
    return lowered in _PUBLIC_SETTINGS or any(fnmatchcase(lowered, p) for p in _PUBLIC_SETTING_PATTERNS)
