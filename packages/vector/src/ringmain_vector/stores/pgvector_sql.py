"""The statements that a collection's passages are written and found by. `Tables.sql` fills in the names.

Each names the tenant once, where it enters: what belongs to a row that was found is reached by its key.
With the tenant there, too, a planner that knows nothing of a new table looks at all that the tenant has.
"""

PUT_DOCUMENT = """
    INSERT INTO {documents} (tenant, id, title, uri, digest, length, passages, metadata)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (tenant, id) DO UPDATE SET
        title = excluded.title, uri = excluded.uri, digest = excluded.digest, length = excluded.length,
        passages = excluded.passages, metadata = excluded.metadata
    RETURNING key
"""
PUT_PASSAGE = """
    INSERT INTO {passages} (document, tenant, number, start, text, metadata, embedding)
    VALUES ($1, $2, $3, $4, $5, $6, $7::real[]::vector) RETURNING key
"""
PUT_POSTINGS = """
    INSERT INTO {postings} (passage, term, weight)
    SELECT * FROM unnest($1::bigint[], $2::integer[], $3::double precision[])
"""
# In the order of the words: two writers then wait for each other, and never in a circle.
COUNT = """
    INSERT INTO {frequencies} AS f (term, passages)
    SELECT term, change FROM unnest($1::integer[], $2::bigint[]) AS c(term, change) ORDER BY term
    ON CONFLICT (term) DO UPDATE SET passages = f.passages + excluded.passages
"""

LOCK_DOCUMENTS = """
    SELECT key FROM {documents} WHERE tenant = $1 AND id = ANY($2::text[]) ORDER BY id FOR UPDATE
"""
DROP_PASSAGES = "DELETE FROM {passages} WHERE document = ANY($1::bigint[]) RETURNING key"
DROP_POSTINGS = """
    WITH lost AS (DELETE FROM {postings} WHERE passage = ANY($1::bigint[]) RETURNING term)
    SELECT term, count(*) AS passages FROM lost GROUP BY term
"""
DROP_DOCUMENTS = "DELETE FROM {documents} WHERE key = ANY($1::bigint[])"

DISTANCE = "p.embedding <#> $3::real[]::vector"
WITHOUT_INDEX = f"({DISTANCE}) + 0, p.key"
"""To order by this says the same, without an index; what is equally near comes as it was taken in."""
DENSE = """
    SELECT d.id, f.number, f.score FROM (
        SELECT p.document, p.number, -({distance}) AS score FROM {passages} p
        WHERE p.tenant = $1 AND p.embedding IS NOT NULL {conditions} ORDER BY {order} LIMIT $2
    ) f JOIN {documents} d ON d.key = f.document ORDER BY f.score DESC
"""
PASSING = """
    SELECT count(*) FROM (
        SELECT FROM {passages} p WHERE p.tenant = $1 AND p.embedding IS NOT NULL {conditions} LIMIT $2
    ) f
"""

FREQUENCIES = "SELECT term, passages FROM {frequencies} WHERE term = ANY($1::integer[])"
# The best come first out of the inner part, and each is looked at by itself until there are enough: most
# often these are few. Without LATERAL and its LIMIT a planner that misjudges a table looks at all.
LEXICAL = """
    SELECT p.id, p.number, s.score FROM (
        SELECT t.passage,
            sum(t.weight * ($4::double precision[])[array_position($3::integer[], t.term)]) AS score
        FROM {postings} t WHERE t.term = ANY($3::integer[]) GROUP BY t.passage ORDER BY score DESC, t.passage
    ) s
    JOIN LATERAL (
        SELECT d.id, p.number FROM {passages} p JOIN {documents} d ON d.key = p.document
        WHERE p.key = s.passage AND p.tenant = $1 {conditions} LIMIT 1
    ) p ON true
    ORDER BY s.score DESC, s.passage LIMIT $2
"""

_THESE = """
    unnest($2::text[], $4::bigint[]) AS k(id, number)
    JOIN {documents} d ON d.tenant = $1 AND d.id = k.id
    JOIN {passages} p ON p.document = d.key AND p.number = k.number
"""
THESE_BY_MEANING = f"""
    SELECT d.id, p.number, -({DISTANCE}) AS score FROM {_THESE} WHERE p.embedding IS NOT NULL
"""  # noqa: S608 (constants)
THESE_BY_WORDS = f"""
    SELECT d.id, p.number,
        sum(t.weight * ($5::double precision[])[array_position($3::integer[], t.term)]) AS score
    FROM {_THESE} JOIN {{postings}} t ON t.passage = p.key
    WHERE t.term = ANY($3::integer[]) GROUP BY d.id, p.number
"""  # noqa: S608 (constants)

_DOCUMENT = "d.id, d.tenant, d.title, d.uri, d.digest, d.length, d.passages, d.metadata"
_PASSAGE = f"{_DOCUMENT}, p.number, p.text, p.start"
# What filters look at stands beside the passages, all of which have the same.
DOCUMENTS = f"""
    SELECT {_DOCUMENT} FROM {{documents}} d WHERE d.tenant = $1 AND d.id > $2 AND EXISTS (
        SELECT FROM {{passages}} p WHERE p.document = d.key AND p.tenant = $1 {{conditions}}
    ) ORDER BY d.id LIMIT $3
"""  # noqa: S608 (constants)
FETCH = f"""
    SELECT {_PASSAGE} FROM unnest($2::text[], $3::bigint[]) AS k(id, number)
    JOIN {{documents}} d ON d.tenant = $1 AND d.id = k.id
    JOIN {{passages}} p ON p.document = d.key AND p.number = k.number
"""  # noqa: S608 (constants)
PASSAGES = f"""
    SELECT {_PASSAGE} FROM {{documents}} d JOIN {{passages}} p ON p.document = d.key
    WHERE d.tenant = $1 AND d.id = $2 ORDER BY p.number
"""  # noqa: S608 (constants)
WHOLE_PASSAGES = f"""
    SELECT {_PASSAGE}, p.embedding::real[] AS vector,
        ARRAY(SELECT t.term FROM {{postings}} t WHERE t.passage = p.key ORDER BY t.term) AS terms,
        ARRAY(SELECT t.weight FROM {{postings}} t WHERE t.passage = p.key ORDER BY t.term) AS weights
    FROM {{documents}} d JOIN {{passages}} p ON p.document = d.key
    WHERE d.tenant = $1 AND d.id = $2 ORDER BY p.number
"""  # noqa: S608 (constants)

TENANTS = "SELECT DISTINCT tenant FROM {documents} ORDER BY tenant"
STATS = """
    SELECT (SELECT count(*) FROM {documents} WHERE tenant = $1) AS documents,
        (SELECT count(*) FROM {passages} WHERE tenant = $1) AS passages,
        coalesce((SELECT passages FROM {frequencies} WHERE term = $2), 0) AS everywhere
"""
