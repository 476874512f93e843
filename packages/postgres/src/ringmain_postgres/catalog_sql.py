"""The statements behind `catalog`: everything qualified, rights checked, nothing pasted in."""

# One row for every object a role may use. `$1` a pattern for names and comments, `$2` kinds, `$3` a schema or
# null, `$4` regular expressions of the fence or null, `$5` where the last page ended or null, `$6` how many.
SEARCH = """
WITH found AS (
    SELECT n.nspname AS schema, c.relname AS name, n.nspname || '.' || c.relname AS fenced,
           pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS title,
           CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized_view'
                          WHEN 'f' THEN 'foreign_table' ELSE 'table' END AS kind,
           pg_catalog.obj_description(c.oid, 'pg_class') AS comment,
           CASE WHEN c.relkind IN ('r', 'm', 'p') AND c.reltuples >= 0 THEN c.reltuples::int8 END AS rows,
           CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_total_relation_size(c.oid) END AS bytes,
           c.oid AS relation, ''::text AS detail
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
      AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
      AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
    UNION ALL
    SELECT n.nspname, c.relname || '.' || a.attname, n.nspname || '.' || c.relname,
           pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) || '.'
           || pg_catalog.quote_ident(a.attname), 'column', pg_catalog.col_description(c.oid, a.attnum),
           NULL, NULL, c.oid, pg_catalog.format_type(a.atttypid, a.atttypmod)
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE 'column' = ANY ($2) AND a.attnum > 0 AND NOT a.attisdropped
      AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
      AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
      AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
    UNION ALL
    SELECT n.nspname, p.proname, n.nspname || '.' || p.proname,
           pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname),
           'function', pg_catalog.obj_description(p.oid, 'pg_proc'), NULL, NULL, NULL,
           '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ') -> '
           || COALESCE(pg_catalog.pg_get_function_result(p.oid), '')
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE 'function' = ANY ($2) AND p.prokind = 'f' AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
      AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
    UNION ALL
    SELECT n.nspname, t.typname, n.nspname || '.' || t.typname,
           pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(t.typname),
           'type', pg_catalog.obj_description(t.oid, 'pg_type'), NULL, NULL, NULL,
           COALESCE((SELECT 'enum: ' || pg_catalog.string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
                     FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
                    CASE t.typtype
                        WHEN 'd' THEN 'domain over ' || pg_catalog.format_type(t.typbasetype, t.typtypmod)
                        ELSE 'composite' END)
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
    WHERE 'type' = ANY ($2) AND (t.typtype IN ('e', 'd') OR t.typtype = 'c' AND c.relkind = 'c')
      AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
)
SELECT schema, name, title, kind, comment, rows, bytes, relation::int8, detail
FROM found
WHERE kind = ANY ($2)
  AND (name ILIKE $1 OR schema || '.' || name ILIKE $1 OR comment ILIKE $1)
  AND (CASE WHEN $3::text IS NULL THEN schema <> 'information_schema' AND schema !~ '^pg_'
            ELSE schema = $3 END)
  AND ($4::text[] IS NULL OR fenced ~ ANY ($4))
  AND ($5::text[] IS NULL OR (schema, name, kind, detail) > ($5[1], $5[2], $5[3], $5[4]))
ORDER BY schema, name, kind, detail
LIMIT $6
"""

COLUMNS_OF = """
SELECT attrelid::int8 AS relation,
       pg_catalog.array_agg(pg_catalog.quote_ident(attname) || ' '
                            || pg_catalog.format_type(atttypid, atttypmod) ORDER BY attnum) AS columns
FROM pg_catalog.pg_attribute WHERE attrelid = ANY ($1::oid[]) AND attnum > 0 AND NOT attisdropped
GROUP BY attrelid
"""

RESOLVE = """
SELECT n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, c.oid::int8 AS oid,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS title,
       pg_catalog.pg_table_is_visible(c.oid) AS visible
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname = $2 AND ($1::text IS NULL OR n.nspname = $1)
  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
ORDER BY visible DESC, n.nspname
"""

SECTIONS: dict[str, str] = {
    "columns": """
        SELECT pg_catalog.quote_ident(a.attname) || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod)
            || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
            || CASE WHEN a.attidentity <> '' THEN ' identity'
                    WHEN a.attgenerated <> ''
                        THEN ' generated as ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid)
                    WHEN d.adbin IS NOT NULL THEN ' default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid)
                    ELSE '' END
            || COALESCE(' -- ' || pg_catalog.col_description(a.attrelid, a.attnum), '') AS line
        FROM pg_catalog.pg_attribute a
        LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum""",
    "constraints": """
        SELECT pg_catalog.quote_ident(conname) || ' ' || pg_catalog.pg_get_constraintdef(oid, true) AS line
        FROM pg_catalog.pg_constraint WHERE conrelid = $1::oid AND contype <> 'n'
        ORDER BY contype DESC, conname""",
    "referenced_by": """
        SELECT n.nspname || '.' || c.relname || ': ' || pg_catalog.pg_get_constraintdef(k.oid, true) AS line,
               n.nspname || '.' || c.relname AS relation
        FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE k.confrelid = $1::oid AND k.contype = 'f' AND k.conparentid = 0 ORDER BY 1""",
    "indexes": """
        SELECT c.relname || ': ' || CASE WHEN i.indisunique THEN 'unique ' ELSE '' END
            || pg_catalog.regexp_replace(pg_catalog.pg_get_indexdef(c.oid, 0, true), '^.*? USING ', '')
            || ', ' || pg_catalog.pg_size_pretty(pg_catalog.pg_relation_size(c.oid))
            || CASE WHEN NOT i.indisvalid THEN ', invalid' ELSE '' END AS line
        FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = $1::oid ORDER BY i.indisprimary DESC, 1""",
    "triggers": """
        SELECT pg_catalog.pg_get_triggerdef(oid, true) AS line
        FROM pg_catalog.pg_trigger WHERE tgrelid = $1::oid AND NOT tgisinternal ORDER BY tgname""",
    "policies": """
        SELECT polname || ' (' || CASE polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert'
                                              WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete'
                                              ELSE 'all' END || ')'
            || COALESCE(' using ' || pg_catalog.pg_get_expr(polqual, polrelid), '') AS line
        FROM pg_catalog.pg_policy WHERE polrelid = $1::oid ORDER BY polname""",
}

STATS = """
SELECT pg_catalog.json_strip_nulls(pg_catalog.json_build_object(
    'rows', CASE WHEN c.reltuples >= 0 THEN c.reltuples::int8 END,
    'size', CASE WHEN c.relkind IN ('r', 'm')
                 THEN pg_catalog.pg_size_pretty(pg_catalog.pg_total_relation_size(c.oid)) END,
    'partitions', (SELECT NULLIF(pg_catalog.count(*), 0) FROM pg_catalog.pg_inherits WHERE inhparent = c.oid),
    'dead rows', NULLIF(s.n_dead_tup, 0),
    'analyzed', GREATEST(s.last_analyze, s.last_autoanalyze)::date,
    'vacuumed', GREATEST(s.last_vacuum, s.last_autovacuum)::date))::text AS stats
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid WHERE c.oid = $1::oid
"""

TABLES_LIKE = """
SELECT n.nspname::text AS schema, c.relname::text AS name
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE pg_catalog.starts_with(c.relname::text, $1) AND ($2::text IS NULL OR n.nspname = $2)
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
ORDER BY 1, 2 LIMIT 10000
"""
