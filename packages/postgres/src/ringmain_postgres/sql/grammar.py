"""Which nodes and fields of Postgres' syntax tree a read may consist of; everything else is refused.

A field is a `NODE` (any allowed node, or a list of them), the name of one kind of node, or `PLAIN`:
numbers, flags, names, nothing that could hold an expression. Fields which only appear after the server's
own analysis are left out, so they are refused as well. A test compares this table with the parser's own
description.
"""

NODE = "*"
PLAIN = ""


def _shape(nodes: str = "", plain: str = "", **kinds: str) -> dict[str, str]:
    return {
        "location": PLAIN,
        **dict.fromkeys(plain.split(), PLAIN),
        **dict.fromkeys(nodes.split(), NODE),
        **kinds,
    }


SHAPES: dict[str, dict[str, str]] = {
    "A_ArrayExpr": _shape("elements", "list_start list_end"),
    "A_Const": _shape("", "ival fval boolval sval bsval isnull"),
    "A_Expr": _shape("lexpr rexpr", "kind name rexpr_list_start rexpr_list_end"),
    "A_Indices": _shape("lidx uidx", "is_slice"),
    "A_Indirection": _shape("arg indirection"),
    "A_Star": _shape(),
    "Alias": _shape("", "aliasname colnames"),
    "BoolExpr": _shape("args", "boolop"),
    "BooleanTest": _shape("arg", "booltesttype"),
    "CTECycleClause": _shape(
        "cycle_mark_value cycle_mark_default", "cycle_col_list cycle_mark_column cycle_path_column"
    ),
    "CTESearchClause": _shape("", "search_col_list search_breadth_first search_seq_column"),
    "CaseExpr": _shape("arg args defresult"),
    "CaseWhen": _shape("expr result"),
    "CoalesceExpr": _shape("args"),
    "CollateClause": _shape("arg", "collname"),
    "ColumnDef": _shape("", "colname is_local", typeName="TypeName", collClause="CollateClause"),
    "ColumnRef": _shape("", "fields"),
    "CommonTableExpr": _shape(
        "ctequery",
        "ctename aliascolnames ctematerialized",
        search_clause="CTESearchClause",
        cycle_clause="CTECycleClause",
    ),
    "FuncCall": _shape(
        "args agg_order agg_filter",
        "funcname agg_within_group agg_star agg_distinct func_variadic funcformat",
        over="WindowDef",
    ),
    "GroupingFunc": _shape("args"),
    "GroupingSet": _shape("content", "kind"),
    "JoinExpr": _shape(
        "larg rarg quals", "jointype isNatural usingClause", join_using_alias="Alias", alias="Alias"
    ),
    "JsonAggConstructor": _shape("agg_filter agg_order", output="JsonOutput", over="WindowDef"),
    "JsonArgument": _shape("", "name", val="JsonValueExpr"),
    "JsonArrayAgg": _shape("", "absent_on_null", constructor="JsonAggConstructor", arg="JsonValueExpr"),
    "JsonArrayConstructor": _shape("exprs", "absent_on_null", output="JsonOutput"),
    "JsonArrayQueryConstructor": _shape("query", "absent_on_null", output="JsonOutput", format="JsonFormat"),
    "JsonBehavior": _shape("expr", "btype coerce"),
    "JsonFormat": _shape("", "format_type encoding"),
    "JsonFuncExpr": _shape(
        "pathspec passing",
        "op column_name wrapper quotes",
        context_item="JsonValueExpr",
        output="JsonOutput",
        on_empty="JsonBehavior",
        on_error="JsonBehavior",
    ),
    "JsonIsPredicate": _shape("expr", "item_type unique_keys", format="JsonFormat"),
    "JsonKeyValue": _shape("key", value="JsonValueExpr"),
    "JsonObjectAgg": _shape(
        "", "absent_on_null unique", constructor="JsonAggConstructor", arg="JsonKeyValue"
    ),
    "JsonObjectConstructor": _shape("exprs", "absent_on_null unique", output="JsonOutput"),
    "JsonOutput": _shape("", typeName="TypeName", returning="JsonReturning"),
    "JsonParseExpr": _shape("", "unique_keys", expr="JsonValueExpr", output="JsonOutput"),
    "JsonReturning": _shape("", "typmod", format="JsonFormat"),
    "JsonScalarExpr": _shape("expr", output="JsonOutput"),
    "JsonSerializeExpr": _shape("", expr="JsonValueExpr", output="JsonOutput"),
    "JsonTable": _shape(
        "passing columns",
        "lateral",
        context_item="JsonValueExpr",
        pathspec="JsonTablePathSpec",
        on_error="JsonBehavior",
        alias="Alias",
    ),
    "JsonTableColumn": _shape(
        "columns",
        "coltype name wrapper quotes",
        typeName="TypeName",
        pathspec="JsonTablePathSpec",
        format="JsonFormat",
        on_empty="JsonBehavior",
        on_error="JsonBehavior",
    ),
    "JsonTablePathSpec": _shape("string", "name name_location"),
    "JsonValueExpr": _shape("raw_expr formatted_expr", format="JsonFormat"),
    "List": _shape("items"),
    "MinMaxExpr": _shape("args", "op"),
    "NamedArgExpr": _shape("arg", "name argnumber"),
    "NullTest": _shape("arg", "nulltesttype argisrow"),
    "ParamRef": _shape("", "number"),
    "RangeFunction": _shape("functions coldeflist", "lateral ordinality is_rowsfrom", alias="Alias"),
    "RangeSubselect": _shape("subquery", "lateral", alias="Alias"),
    "RangeTableFunc": _shape("docexpr rowexpr namespaces columns", "lateral", alias="Alias"),
    "RangeTableFuncCol": _shape(
        "colexpr coldefexpr", "colname for_ordinality is_not_null", typeName="TypeName"
    ),
    "RangeTableSample": _shape("relation args repeatable", "method"),
    "RangeVar": _shape("", "schemaname relname inh relpersistence", alias="Alias"),
    "ResTarget": _shape("val", "name"),
    "RowExpr": _shape("args", "row_format"),
    "SQLValueFunction": _shape("", "op typmod"),
    "SelectStmt": _shape(
        "distinctClause targetList fromClause whereClause groupClause havingClause windowClause valuesLists "
        "sortClause limitOffset limitCount",
        "groupDistinct limitOption op all",
        withClause="WithClause",
        larg="SelectStmt",
        rarg="SelectStmt",
    ),
    "SortBy": _shape("node", "sortby_dir sortby_nulls useOp"),
    "String": _shape("", "sval"),
    "SubLink": _shape("testexpr subselect", "subLinkType operName"),
    "TypeCast": _shape("arg", typeName="TypeName"),
    "TypeName": _shape("typmods", "names setof typemod arrayBounds"),
    "WindowDef": _shape("partitionClause orderClause startOffset endOffset", "name refname frameOptions"),
    "WithClause": _shape("ctes", "recursive"),
    "XmlExpr": _shape("named_args args", "op name arg_names xmloption indent"),
    "XmlSerialize": _shape("expr", "xmloption indent", typeName="TypeName"),
}
