"""The three look-ups in the catalogue, for Postgres 13 to 18; a role needs no privilege but to connect."""

from functools import cache

# Per function: oid, name, fewest and most arguments, whether it is volatile, and whether it takes or gives
# cstring or internal values: those are for the server, or take a type's number to run that type's code.
BUILT_INS = """
SELECT 'function' AS kind, pg_catalog.json_build_array(
    p.oid::int8, p.proname,
    p.pronargs - p.pronargdefaults - (p.provariadic <> 0)::int,
    CASE WHEN p.provariadic <> 0 THEN 1000 ELSE p.pronargs END,
    p.provolatile = 'v' OR p.prokind = 'p',
    2275 = ANY (p.proargtypes) OR 2281 = ANY (p.proargtypes) OR p.prorettype IN (2275, 2279, 2280, 3838)
)::text AS item
FROM pg_catalog.pg_proc p WHERE p.oid < 16384
UNION ALL
SELECT 'types', pg_catalog.json_build_object(
    'version', pg_catalog.current_setting('server_version_num')::int,
    'types', (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(t.typname, t.oid::int8, t.typelem::int8))
              FROM pg_catalog.pg_type t WHERE t.oid < 16384)
)::text
"""

_FUNCTION = """
SELECT 'function' AS kind, pg_catalog.json_build_object(
    'oid', p.oid::int8, 'schema', n.nspname, 'name', p.proname, 'kind', p.prokind,
    'arguments', p.proargtypes::oid[]::int8[], 'defaults', p.pronargdefaults, 'variadic', p.provariadic <> 0,
    'types', p.proallargtypes::int8[], 'result', p.prorettype::int8, 'names', p.proargnames,
    'takes_row', EXISTS (
        SELECT FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
        WHERE t.oid = p.proargtypes[0] AND (t.typtype IN ('c', 'p') OR b.typtype IN ('c', 'd'))),
    'volatile', p.provolatile = 'v', 'language', l.lanname, 'security_definer', p.prosecdef,
    'config', p.proconfig,
    'body', CASE WHEN l.lanname IN ('sql', 'internal') AND p.prokind <> 'a' THEN {body} END,
    'default_values', pg_catalog.pg_get_expr(p.proargdefaults, 0),
    'extension', (
        SELECT e.extname FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
        WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
          AND d.refclassid = 'pg_catalog.pg_extension'::regclass),
    'support', CASE WHEN g.aggfnoid IS NOT NULL THEN ARRAY[
        g.aggtransfn::oid, g.aggfinalfn, g.aggcombinefn, g.aggserialfn, g.aggdeserialfn,
        g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn,
        (SELECT o.oprcode FROM pg_catalog.pg_operator o WHERE o.oid = g.aggsortop)]::int8[] END
)::text AS item
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
LEFT JOIN pg_catalog.pg_aggregate g ON g.aggfnoid = p.oid
WHERE p.oid >= 16384 AND {which}
"""
# pg_get_function_sqlbody knows bodies in standard syntax (BEGIN ATOMIC, RETURN), which came with Postgres 14.
_BODY_13 = "p.prosrc"
_BODY_14 = "COALESCE(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc)"

# $1 relation names, $2 function names, $3 operator names, $4 type names. Names are looked up in every schema;
# which of them the search path can see is decided by the caller.
_NAMES = """
WITH RECURSIVE relations AS (
    SELECT c.* FROM pg_catalog.pg_class c
    WHERE c.relname = ANY ($1::name[]) AND c.relkind NOT IN ('i', 'I', 'c', 't')
), families AS (
    SELECT c.oid AS top, c.oid, c.relkind, c.relhassubclass, false AS heir FROM relations c
    UNION
    SELECT f.top, k.oid, k.relkind, k.relhassubclass, NOT k.relispartition FROM families f
    JOIN pg_catalog.pg_inherits i ON i.inhparent = f.oid
    JOIN pg_catalog.pg_class k ON k.oid = i.inhrelid
    WHERE f.relhassubclass
), operators AS (
    SELECT o.* FROM pg_catalog.pg_operator o WHERE o.oprname = ANY ($3::name[]) AND o.oid >= 16384
), casts AS (
    SELECT c.* FROM pg_catalog.pg_cast c
    WHERE c.oid >= 16384 AND c.castfunc <> 0 AND (
        c.castsource < 16384 AND c.casttarget < 16384
        OR c.castsource IN (SELECT r.reltype FROM relations r)
        OR c.casttarget IN (SELECT r.reltype FROM relations r))
)
SELECT 'relation' AS kind, pg_catalog.json_build_object(
    'oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind,
    'row_type', c.reltype::int8,
    'columns', (SELECT pg_catalog.md5(pg_catalog.string_agg(
        pg_catalog.concat_ws(' ', a.attnum, a.attname, a.atttypid, a.atttypmod), ',' ORDER BY a.attnum))
        FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0),
    'types', ARRAY(
        SELECT DISTINCT a.atttypid::int8 FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.atttypid >= 16384 AND NOT a.attisdropped),
    'definition', CASE WHEN c.relkind = 'v' AND c.oid >= 16384 THEN pg_catalog.pg_get_viewdef(c.oid) END,
    'foreign', EXISTS (SELECT FROM families f WHERE f.top = c.oid AND f.relkind = 'f'),
    'heirs', ARRAY(
        SELECT s.nspname || '.' || h.relname FROM families f JOIN pg_catalog.pg_class h ON h.oid = f.oid
        JOIN pg_catalog.pg_namespace s ON s.oid = h.relnamespace WHERE f.top = c.oid AND f.heir ORDER BY 1),
    'support', ARRAY(
        SELECT DISTINCT ap.amproc::oid::int8 FROM (
            SELECT pg_catalog.unnest(x.indclass::oid[]) AS class FROM pg_catalog.pg_index x
            WHERE x.indrelid IN (SELECT f.oid FROM families f WHERE f.top = c.oid)
            UNION
            SELECT pg_catalog.unnest(y.partclass::oid[]) FROM pg_catalog.pg_partitioned_table y
            WHERE y.partrelid = c.oid
            UNION
            SELECT z.oid FROM pg_catalog.pg_opclass z WHERE z.opcintype = c.reltype AND z.opcintype <> 0
        ) used
        JOIN pg_catalog.pg_opclass oc ON oc.oid = used.class
        JOIN pg_catalog.pg_amproc ap ON ap.amprocfamily = oc.opcfamily
        WHERE used.class >= 16384)
)::text AS item
FROM relations c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
UNION ALL
SELECT 'operator', pg_catalog.json_build_object(
    'oid', o.oid::int8, 'schema', n.nspname, 'name', o.oprname,
    'left', o.oprleft::int8, 'right', o.oprright::int8, 'result', o.oprresult::int8,
    'functions', ARRAY(
        SELECT o.oprcode::oid::int8
        UNION
        SELECT ap.amproc::oid::int8 FROM pg_catalog.pg_amop ao
        JOIN pg_catalog.pg_amproc ap ON ap.amprocfamily = ao.amopfamily
        WHERE ao.amopopr = o.oid AND ao.amopfamily >= 16384)
)::text
FROM operators o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
UNION ALL
SELECT 'type_name', pg_catalog.json_build_array(n.nspname, t.typname, t.oid::int8)::text
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typname = ANY ($4::name[]) AND t.oid >= 16384
UNION ALL
SELECT 'cast', pg_catalog.json_build_array(
    c.oid::int8, c.castsource::int8, c.casttarget::int8, c.castcontext = 'i', c.castfunc::int8)::text
FROM casts c
UNION ALL
SELECT 'implied_type', c.casttarget::text FROM pg_catalog.pg_cast c
WHERE c.castcontext = 'i' AND c.castsource < 16384 AND c.casttarget >= 16384
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = c.casttarget
                    AND d.deptype = 'e')
UNION ALL
{functions}
"""

# $1 type numbers, $2 function numbers, $3 harmless extensions, whose own functions need no second look. A
# type brings in play those it is made of, its casts, and every function that reading, printing, comparing
# and checking its values may call.
_NUMBERS = """
WITH RECURSIVE harmless AS (
    SELECT d.objid AS oid FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
    JOIN pg_catalog.pg_proc p ON p.oid = d.objid
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.refclassid = 'pg_catalog.pg_extension'::regclass
      AND d.deptype = 'e' AND e.extname = ANY ($3::name[])
      AND l.lanname IN ('c', 'internal', 'sql') AND NOT p.prosecdef
), reached AS (
    SELECT t FROM pg_catalog.unnest($1::int8[]) t
    UNION
    SELECT part.t FROM reached r
    JOIN pg_catalog.pg_type y ON y.oid = r.t::oid
    CROSS JOIN LATERAL (
        SELECT y.typelem::int8 AS t UNION ALL
        SELECT y.typbasetype::int8 UNION ALL
        SELECT a.atttypid::int8 FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = y.typrelid AND y.typrelid <> 0 AND a.attnum > 0 AND NOT a.attisdropped UNION ALL
        SELECT g.rngsubtype::int8 FROM pg_catalog.pg_range g WHERE g.rngtypid = y.oid {multirange}
    ) part
    WHERE part.t >= 16384
), casts AS (
    SELECT c.* FROM pg_catalog.pg_cast c
    WHERE c.castfunc <> 0 AND c.castfunc NOT IN (SELECT h.oid FROM harmless h)
      AND (c.castsource IN (SELECT r.t::oid FROM reached r)
           OR c.casttarget IN (SELECT r.t::oid FROM reached r))
)
SELECT 'type' AS kind, pg_catalog.json_build_object(
    'oid', y.oid::int8, 'schema', n.nspname, 'name', y.typname,
    'parts', ARRAY(
        SELECT a.atttypid::int8 FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = y.typrelid AND y.typrelid <> 0 AND a.attnum > 0 AND NOT a.attisdropped
        UNION SELECT y.typelem::int8 WHERE y.typelem <> 0
        UNION SELECT y.typbasetype::int8 WHERE y.typbasetype <> 0),
    'checks', ARRAY(
        SELECT pg_catalog.pg_get_expr(k.conbin, 0) FROM pg_catalog.pg_constraint k
        WHERE k.contypid = y.oid AND k.contype = 'c'),
    'functions', ARRAY(SELECT f FROM (
        SELECT pg_catalog.unnest(ARRAY[
            y.typinput::oid, y.typoutput, y.typreceive, y.typsend, y.typmodin, y.typmodout]::int8[]) AS f
        UNION SELECT pg_catalog.unnest(ARRAY[g.rngcanonical::oid, g.rngsubdiff]::int8[])
            FROM pg_catalog.pg_range g WHERE g.rngtypid = y.oid
        UNION SELECT ap.amproc::oid::int8 FROM pg_catalog.pg_opclass oc
            JOIN pg_catalog.pg_amproc ap ON ap.amprocfamily = oc.opcfamily
            WHERE oc.oid >= 16384 AND (oc.opcintype = y.oid
                OR oc.oid IN (SELECT g.rngsubopc FROM pg_catalog.pg_range g WHERE g.rngtypid = y.oid))
        UNION SELECT o.oprcode::oid::int8 FROM pg_catalog.pg_opclass oc
            JOIN pg_catalog.pg_amop ao ON ao.amopfamily = oc.opcfamily
            JOIN pg_catalog.pg_operator o ON o.oid = ao.amopopr
            WHERE oc.oid >= 16384 AND oc.opcintype = y.oid
        ) called WHERE f >= 16384 AND f::oid NOT IN (SELECT h.oid FROM harmless h))
)::text AS item
FROM pg_catalog.pg_type y JOIN pg_catalog.pg_namespace n ON n.oid = y.typnamespace
WHERE y.oid IN (SELECT t::oid FROM reached)
UNION ALL
SELECT 'cast', pg_catalog.json_build_array(
    c.oid::int8, c.castsource::int8, c.casttarget::int8, c.castcontext = 'i', c.castfunc::int8)::text
FROM casts c
UNION ALL
{functions}
"""


@cache
def names_sql(version: int) -> str:
    """Return the statement that looks up names."""
    which = """p.oid IN (
        SELECT q.oid FROM pg_catalog.pg_proc q WHERE q.proname = ANY ($2::name[])
        UNION SELECT o.oprcode FROM operators o
        UNION SELECT c.castfunc FROM casts c)"""
    return _NAMES.format(functions=_functions(version, which))


@cache
def numbers_sql(version: int) -> str:
    """Return the statement that looks up types and functions by number."""
    multirange = (
        "UNION ALL SELECT g.rngsubtype::int8 FROM pg_catalog.pg_range g WHERE g.rngmultitypid = y.oid"
    )
    which = (
        "p.oid IN (SELECT f::oid FROM pg_catalog.unnest($2::int8[]) f UNION SELECT c.castfunc FROM casts c)"
    )
    return _NUMBERS.format(
        multirange=multirange if version >= 140000 else "", functions=_functions(version, which)
    )


def _functions(version: int, which: str) -> str:
    return _FUNCTION.format(body=_BODY_14 if version >= 140000 else _BODY_13, which=which)
