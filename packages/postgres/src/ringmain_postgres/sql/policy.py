"""The judgement: may these functions, relations and settings be used by a statement that only reads?"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ringmain_postgres.sql import families
from ringmain_postgres.sql.catalogue import FIRST_USER_OID, BuiltIns, Function, Relation
from ringmain_postgres.sql.refused import SqlRefused

ASK_THE_OPERATOR = "Do without it, or ask the operator to list it under `allow_functions`."


@dataclass(frozen=True, slots=True)
class Policy:
    """What an operator may decide.

    `search_path` are the schemas after pg_catalog, and must be what the session uses. The patterns name
    functions and foreign tables (`reporting.*`) that the operator vouches for.
    """

    search_path: tuple[str, ...] = ("public",)
    allow_functions: tuple[str, ...] = ()
    allow_foreign_tables: tuple[str, ...] = ()


def matches(patterns: Sequence[str], schema: str, name: str) -> bool:
    return any(fnmatchcase(f"{schema}.{name}", pattern) for pattern in patterns)


def refuse_built_in(name: str, does: str, hint: str) -> SqlRefused:
    return SqlRefused("function", f"The function `{name}` {does}.", hint)


def judge_built_in_call(built_ins: BuiltIns, name: str, arity: int) -> None:
    """Raise if a call by this name could reach a refused function that the server ships."""
    for least, most, does, hint in built_ins.refused.get(name, ()):
        if arity < 0 or least <= arity <= most:
            raise refuse_built_in(name, does, hint)


def judge_built_in_number(built_ins: BuiltIns, oid: int) -> None:
    if oid in built_ins.refused_oids:
        raise refuse_built_in(*built_ins.refused_oids[oid])


def judge_function(policy: Policy, function: Function, *, by_server: bool) -> bool:
    """Raise unless the function is harmless; return whether that depends on what else it calls.

    `by_server`: nobody called it by name; it belongs to a type, an operator or an index.

    Nobody's word is taken for what a function does: not IMMUTABLE on a procedural language, not a C function
    outside a known extension. What can be read, SQL, is read.
    """
    if matches(policy.allow_functions, function.schema, function.name):
        return False
    if function.extension:
        _judge_extension_function(function, by_server=by_server)
        return False
    if function.kind == "a":
        return True
    if function.kind == "p":
        raise SqlRefused("function", f"`{function.title}` is a procedure.", "Query the tables instead.")
    if function.language == "internal" and function.body in families.SAFE_INTERNAL:
        return False
    if function.language != "sql":
        raise SqlRefused(
            "function",
            f"`{function.title}` is written in {function.language}, so what it does cannot be checked.",
            ASK_THE_OPERATOR,
        )
    if function.security_definer:
        raise SqlRefused(
            "function",
            f"`{function.title}` runs with its owner's rights (SECURITY DEFINER).",
            ASK_THE_OPERATOR,
        )
    if function.volatile:
        raise SqlRefused(
            "function",
            f"`{function.title}` is declared VOLATILE, so it may change something.",
            "Do without it, or ask its owner to declare it STABLE if it only reads.",
        )
    if any(not setting.startswith("search_path=") or "$user" in setting for setting in function.config):
        raise SqlRefused("function", f"`{function.title}` changes settings while it runs.", ASK_THE_OPERATOR)
    return True


def _judge_extension_function(function: Function, *, by_server: bool) -> None:
    if function.extension not in families.SAFE_EXTENSIONS:
        raise SqlRefused(
            "function",
            f"`{function.title}` belongs to the extension {function.extension}, which may not only compute.",
            ASK_THE_OPERATOR,
        )
    computes = function.language in families.SAFE_EXTENSION_LANGUAGES and not function.security_definer
    if not by_server:
        volatile = function.volatile and function.name not in families.VOLATILE_EXTENSION_FUNCTIONS
        private = function.name.startswith("_") or function.schema.startswith("_")
        changes_session = function.name in families.SESSION_EXTENSION_FUNCTIONS
        computes = computes and not (volatile or private or changes_session)
    if not computes:
        raise SqlRefused(
            "function",
            f"`{function.title}` of the extension {function.extension} may change something.",
            ASK_THE_OPERATOR,
        )


def judge_relation(policy: Policy, relation: Relation) -> bool:
    """Raise if the relation must not be read; return whether that depends on a view's definition."""
    if relation.oid < FIRST_USER_OID:
        does = families.SECRET_RELATIONS.get(relation.name)
        if does is not None:
            raise SqlRefused(
                "secret", f"`{relation.name}` {does}.", "Query your own tables, or pg_class and friends."
            )
        return False
    if relation.foreign and not matches(policy.allow_foreign_tables, relation.schema, relation.name):
        raise SqlRefused(
            "foreign_table",
            f"`{relation.schema}.{relation.name}` reads from another server, outside this transaction.",
            "Do without it, or ask the operator to list it under `allow_foreign_tables`.",
        )
    if relation.kind == "v" and not relation.definition:
        raise SqlRefused(
            "view", f"The view `{relation.schema}.{relation.name}` cannot be read now.", "Try again."
        )
    return relation.kind == "v"
