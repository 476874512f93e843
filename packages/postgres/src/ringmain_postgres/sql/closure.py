"""Follows what a statement names, through views, functions and types, until all it may run is judged."""

from collections.abc import Iterable

from ringmain_postgres.sql import families, policy
from ringmain_postgres.sql.catalogue import (
    FIRST_USER_OID,
    BuiltIns,
    Facts,
    Fetch,
    Function,
    Operator,
    Relation,
    absorb,
)
from ringmain_postgres.sql.lookup import names_sql, numbers_sql
from ringmain_postgres.sql.parse import too_deep
from ringmain_postgres.sql.references import Call, Name, References, references_of_body
from ringmain_postgres.sql.refused import SqlRefused
from ringmain_postgres.sql.unit import Unit, is_printed, plain_body, search_path, within

MAX_ROUNDS = 20
JSON_TYPES = frozenset({114, 3802})
"""to_json looks for a cast to these without its being written."""


class Closure:
    """One statement's judgement. Every candidate that the server could pick must be harmless."""

    def __init__(self, rules: policy.Policy, built_ins: BuiltIns, fetch: Fetch) -> None:
        self.rules = rules
        self.built_ins = built_ins
        self.fetch = fetch
        self.path = ("pg_catalog", *rules.search_path)
        self.facts = Facts()
        self.direct: dict[int, Relation] = {}
        self.underlying: dict[int, Relation] = {}
        self.called: set[str] = set()
        """Functions of users that the statement itself calls, by name or by an operator or a cast."""
        self.in_play: set[int] = set()
        self.rows: set[int] = set()
        """Row types of relations in use: what matters about them came along, unless they are named."""
        self.judged: set[tuple[int, bool]] = set()
        """Functions by number, and whether they were called by the server rather than by name."""
        self.paths: set[tuple[int, tuple[str, ...]]] = set()
        """Functions, and the search paths under which they are called: those of bodies written as text."""
        self.bodies: set[int] = set()
        self.targets: set[int] = set(JSON_TYPES)
        self.operators: dict[int, Operator] = {}
        self.direct_operators: set[int] = set()
        self.units: list[Unit] = []

    @property
    def reached(self) -> frozenset[str]:
        """What the statement itself takes hold of, as `schema.name`: all of it a fence has to admit."""
        relations = self.direct.values()
        heirs = (heir for relation in relations for heir in relation.heirs)
        return frozenset(self.called).union((f"{each.schema}.{each.name}" for each in relations), heirs)

    async def judge(self, references: References) -> None:
        """Raise SqlRefused unless all that the statement may run only reads."""
        self.units = [Unit(references, self.path)]
        for _ in range(MAX_ROUNDS):
            units, self.units = self.units, []
            await self.look_up_names(units)
            for unit in units:
                self.resolve(unit)
            self.in_play |= self.facts.implied_types
            await self.look_up_numbers()
            self.judge_types()
            self.judge_operators()
            self.judge_casts()
            if not self.units and not self.unknown_types() and not self.unknown_functions():
                return
        raise too_deep()

    async def look_up_names(self, units: Iterable[Unit]) -> None:
        relations: set[str] = set()
        functions: set[str] = set()
        operators: set[str] = set()
        types: set[str] = set()
        for unit in units:
            names = unit.references
            relations |= {name for _, name in names.relations}
            functions |= {call.name for call in names.functions}
            functions |= names.selections | names.columns | names.old_functions
            operators |= {call.name for call in names.operators}
            types |= {name for schema, name in names.types if not self.is_built_in_type(schema, name)}
            types |= {name for _, name in names.maybe_types}
        wanted = [
            self.unasked(kind, names)
            for kind, names in zip("rfot", (relations, functions, operators, types), strict=True)
        ]
        if any(wanted):
            absorb(self.facts, await self.fetch(names_sql(self.built_ins.version), *wanted))

    def is_built_in_type(self, schema: str, name: str) -> bool:
        return schema == "pg_catalog" and name in self.built_ins.types

    def unasked(self, kind: str, names: set[str]) -> list[str]:
        fresh = sorted(name for name in names if (kind, name) not in self.facts.asked)
        self.facts.asked.update((kind, name) for name in fresh)
        return fresh

    def unknown_types(self) -> list[int]:
        known = self.rows - self.targets
        return sorted(
            t
            for t in self.in_play
            if t >= FIRST_USER_OID and t not in known and ("T", t) not in self.facts.asked
        )

    def unknown_functions(self) -> list[int]:
        return sorted(f for f, _ in self.judged if f not in self.facts.functions)

    async def look_up_numbers(self) -> None:
        while (types := self.unknown_types()) or self.unknown_functions():
            functions = self.unknown_functions()
            self.facts.asked.update(("T", t) for t in types)
            extensions = sorted(families.SAFE_EXTENSIONS)
            absorb(
                self.facts,
                await self.fetch(numbers_sql(self.built_ins.version), types, functions, extensions),
            )
            for oid in functions:
                if oid not in self.facts.functions:
                    raise SqlRefused("changed", "A function in use was dropped meanwhile.", "Try again.")
                for by_server in (False, True):
                    if (oid, by_server) in self.judged:
                        self.judge_function(self.facts.functions[oid], self.path, by_server=by_server)
            for oid, found in self.facts.types.items():
                self.facts.asked.add(("T", oid))
                self.in_play.add(oid)
                self.in_play.update(found.parts)

    def resolve(self, unit: Unit) -> None:
        try:
            names = unit.references
            for name in names.relations:
                self.resolve_relation(name, unit)
            for name in names.types:
                self.resolve_type(name, unit, must_exist=True)
            for name in names.maybe_types:
                self.resolve_type(name, unit, must_exist=False)
            for call in names.functions:
                self.resolve_function(call, unit)
            for name in names.selections | names.columns:
                self.resolve_selection(name, unit, any_type=name in names.selections or bool(unit.within))
            for name in names.old_functions:
                for function in self.visible_functions(Call("", name, -1), unit.path):
                    self.use_function(function, unit)
            for call in names.operators:
                self.resolve_operator(call, unit)
        except SqlRefused as refused:
            raise within(unit.within, refused) from None

    def resolve_relation(self, name: Name, unit: Unit) -> None:
        schemas = (name[0],) if name[0] else unit.path
        found = {relation.schema: relation for relation in self.facts.relations.get(name[1], ())}
        relation = next((found[schema] for schema in schemas if schema in found), None)
        if relation is None:
            raise policy.unknown_table(name, self.rules.search_path)
        (self.underlying if unit.within else self.direct)[relation.oid] = relation
        is_view = policy.judge_relation(self.rules, relation)
        self.in_play.update(relation.types)
        if relation.oid >= FIRST_USER_OID:
            self.in_play.add(relation.row_type)
            self.rows.add(relation.row_type)
        for oid in relation.support:
            self.use_number(oid)
        if is_view and relation.oid not in self.bodies:
            self.bodies.add(relation.oid)
            self.add_body(f"the view `{relation.schema}.{relation.name}`", relation.definition, self.path)

    def add_body(self, within_what: str, text: str, path: tuple[str, ...]) -> None:
        try:
            self.units.append(Unit(references_of_body(text), path, within_what))
        except SqlRefused as refused:
            raise within(within_what, refused) from None

    def resolve_type(self, name: Name, unit: Unit, *, must_exist: bool) -> None:
        schemas = (name[0],) if name[0] else unit.path
        found = [oid for schema, oid in self.facts.named_types.get(name[1], ()) if schema in schemas]
        self.in_play.update(found)
        self.targets.update(found)
        shipped = name[0] in ("", "pg_catalog", "information_schema")
        built_in = self.built_ins.types.get(name[1], ()) if shipped else ()
        self.targets.update(built_in)
        if must_exist and not found and not built_in:
            raise policy.unknown_type(name[1])

    def visible_functions(self, call: Call, path: tuple[str, ...]) -> list[Function]:
        schemas = (call.schema,) if call.schema else path
        named = self.facts.named_functions.get(call.name, ())
        return [f for f in named if f.schema in schemas and f.accepts(call.arity)]

    def resolve_function(self, call: Call, unit: Unit) -> None:
        built_in = call.schema in ("", "pg_catalog", "information_schema")
        if built_in:
            policy.judge_built_in_call(self.built_ins, call.name, call.arity)
        functions = self.visible_functions(call, unit.path)
        for function in functions:
            self.use_function(function, unit)
        known = built_in and (call.name in self.built_ins.functions or call.name in self.built_ins.types)
        if not functions and not known and not self.facts.named_types.get(call.name):
            raise policy.unknown_function(call.name, call.arity, (call.schema,) if call.schema else self.path)

    def resolve_selection(self, name: str, unit: Unit, *, any_type: bool) -> None:
        policy.judge_built_in_call(self.built_ins, name, 1)
        for function in self.visible_functions(Call("", name, 1), unit.path):
            if any_type or function.takes_row:
                self.use_function(function, unit)

    def use_function(self, function: Function, unit: Unit) -> None:
        if not unit.within:
            self.note_call(function.oid)
        if (function.oid, unit.path) not in self.paths:
            self.paths.add((function.oid, unit.path))
            self.judged.add((function.oid, False))
            self.judge_function(function, unit.path, by_server=False)

    def note_call(self, oid: int) -> None:
        function = self.facts.functions.get(oid)
        if function is not None and not policy.is_vouched_for(self.rules, function):
            self.called.add(function.title)

    def use_number(self, oid: int, *, by_server: bool = True) -> None:
        """Judge a function that the server calls by number; one not yet known is looked up first."""
        if oid < FIRST_USER_OID:
            policy.judge_built_in_number(self.built_ins, oid)
        elif (oid, by_server) not in self.judged:
            self.judged.add((oid, by_server))
            if oid in self.facts.functions:
                self.judge_function(self.facts.functions[oid], self.path, by_server=by_server)

    def judge_function(self, function: Function, path: tuple[str, ...], *, by_server: bool) -> None:
        depends = policy.judge_function(self.rules, function, by_server=by_server)
        self.in_play.update(function.types)
        if not depends:
            return
        for oid in function.support:
            self.use_number(oid, by_server=False)
        title = f"the function `{function.title}`"
        if function.config:
            path = ("pg_catalog", *search_path(function.config[-1]))
        if is_printed(function.body):
            path = self.path
        if function.kind != "a":
            self.targets.update(function.types)
            self.targets.update(self.built_ins.elements.get(oid, 0) for oid in function.types)
            self.add_body(title, plain_body(function.body), path)
        if function.default_values:
            self.add_body(title, f"SELECT {function.default_values}", self.path)

    def resolve_operator(self, call: Call, unit: Unit) -> None:
        schemas = (call.schema,) if call.schema else unit.path
        for operator in self.facts.operators.get(call.name, ()):
            if operator.schema in schemas and len(operator.operands) == call.arity:
                self.operators[operator.oid] = operator
                if not unit.within:
                    self.direct_operators.add(operator.oid)

    def judge_operators(self) -> None:
        for operator in self.operators.values():
            if operator.name in families.COMMON_OPERATORS and all(
                operand >= FIRST_USER_OID and operand not in self.in_play for operand in operator.operands
            ):
                continue
            self.in_play.update((*operator.operands, operator.result))
            for oid in operator.functions:
                self.use_named(oid, f"the operator `{operator.schema}.{operator.name}`")
                if operator.oid in self.direct_operators:
                    self.note_call(oid)

    def judge_types(self) -> None:
        for oid, found in self.facts.types.items():
            title = f"the type `{found.schema}.{found.name}`"
            for function in found.functions:
                self.use_named(function, title)
            if oid in self.targets:
                self.targets.update(found.parts)
            if found.checks and oid not in self.bodies:
                self.bodies.add(oid)
                for check in found.checks:
                    self.add_body(title, f"SELECT {check}", self.path)

    def judge_casts(self) -> None:
        for cast in self.facts.casts.values():
            ends = (cast.source, cast.target)
            if any(end >= FIRST_USER_OID and end not in self.in_play for end in ends):
                continue
            if cast.implicit or cast.target in self.targets:
                self.use_named(cast.function, "a cast", by_server=False)
                self.note_call(cast.function)

    def use_named(self, oid: int, what: str, *, by_server: bool = True) -> None:
        try:
            self.use_number(oid, by_server=by_server)
        except SqlRefused as refused:
            raise within(what, refused) from None
