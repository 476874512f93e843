"""Dashboards and alerts: every metric, label and value in them is one that servers really show."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_args

from prometheus_client.parser import text_string_to_metric_families

from contract.deployment import COMPOSE, composed, read_yaml
from ringmain_core.audit.record import Outcome
from ringmain_core.telemetry.exposition import page
from ringmain_core.telemetry.metrics import Metrics
from ringmain_core.telemetry.signals import BreakerState, CacheResult, UpstreamOutcome
from unit.core.demo import connector

DASHBOARD = json.loads((COMPOSE / "grafana" / "dashboards" / "ringmain.json").read_text(encoding="utf-8"))
ALERTS = read_yaml(COMPOSE / "prometheus" / "alerts.yml")
PROMETHEUS = read_yaml(COMPOSE / "prometheus" / "prometheus.yml")
OF_PROMETHEUS = {"job", "instance"}
GATES = {"front", "rate_limit"}
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_AGGREGATION = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
_FUNCTION = re.compile(r"\b[a-z_]+\s*(?=\()")
_WORDS = {"and", "or", "unless", "bool"}


@cache
def exported() -> Mapping[str, frozenset[str]]:
    """The labels of every sample that a server shows, by its name; made by the exporter itself."""
    metrics = Metrics(connector)
    for family in metrics.families:
        metrics.series.place(family, *("x" for _ in family.labels))
    text, _ = page(metrics, "")
    found: dict[str, frozenset[str]] = {"up": frozenset(OF_PROMETHEUS)}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            found[sample.name] = frozenset({*sample.labels, *found.get(sample.name, ()), *OF_PROMETHEUS})
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """Every query, with the name of what it is for."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


def metrics_in(query: str) -> set[str]:
    """The names that stand where a metric does."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", _AGGREGATION.sub(" ", query))
    words = re.findall(r"(?<![\w.$])[a-zA-Z_:][\w:]*", _FUNCTION.sub(" ", bare))
    return set(words) - _WORDS


def labels_in(query: str) -> set[str]:
    """The labels that a query looks at or keeps."""
    grouped = [name for each in _AGGREGATION.findall(query) for name in re.split(r"\s*,\s*", each.strip())]
    return {name for name, _, _ in _MATCHER.findall(query)} | {name for name in grouped if name}


def test_a_metric_that_is_not_there_would_be_found() -> None:
    assert metrics_in('sum by (a) (rate(ringmain_cals{b="c"}[5m])) / up > 0.1') == {"ringmain_cals", "up"}
    assert labels_in('sum by (a, le) (rate(x{b="c", d=~"e"}[5m]))') == {"a", "le", "b", "d"}


def test_every_metric_in_a_query_is_exported_with_the_labels_that_it_uses() -> None:
    for title, query in expressions():
        names = metrics_in(query)
        assert names, title
        assert names <= set(exported()), title
        carried = frozenset[str]().union(*(exported()[name] for name in names))
        assert labels_in(query) <= carried, title


def test_every_value_that_a_query_looks_for_can_come() -> None:
    values = {
        "outcome": {*get_args(Outcome), *get_args(UpstreamOutcome)},
        "state": set(get_args(BreakerState)),
        "result": set(get_args(CacheResult)),
        "gate": GATES,
        "method": {"tools/call"},
        "job": {job["job_name"] for job in PROMETHEUS["scrape_configs"]},
        "connector": {"$connector"},
    }
    for title, query in expressions():
        for name, _, value in _MATCHER.findall(query):
            assert set(value.split("|")) <= values[name], title


def test_everything_that_is_exported_is_on_the_dashboard() -> None:
    shown = {
        re.sub(r"_(bucket|count|sum|total)$", "", name)
        for _, query in expressions()
        for name in metrics_in(query)
    }
    there = {
        re.sub(r"_(bucket|count|sum|total)$", "", name) for name in exported() if name.startswith("ringmain_")
    }
    assert there - shown == set()


def test_panels_and_legends_are_whole() -> None:
    sources = {source["uid"] for source in read_yaml(COMPOSE / "grafana" / "datasources.yaml")["datasources"]}
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    for panel in DASHBOARD["panels"]:
        if panel["type"] == "row":
            continue
        assert panel["datasource"]["uid"] in sources
        for target in panel["targets"]:
            in_legend = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert in_legend <= labels_in(target["expr"]), panel["title"]


def test_alerts_say_what_to_do_with_labels_that_they_have() -> None:
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            assert set(rule["annotations"]) == {"summary", "todo"}
            said = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
            assert said <= labels_in(rule["expr"]) | OF_PROMETHEUS, rule["alert"]


def test_what_is_provisioned_is_mounted_where_it_is_looked_for() -> None:
    volumes: list[Any] = composed()["services"]["grafana"]["volumes"]
    mounts = dict(volume.removesuffix(":ro").split(":") for volume in volumes)
    provider = read_yaml(COMPOSE / "grafana" / "dashboards.yaml")["providers"][0]
    assert mounts["./grafana/dashboards"] == provider["options"]["path"]
    (source,) = read_yaml(COMPOSE / "grafana" / "datasources.yaml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    token = PROMETHEUS["scrape_configs"][0]["authorization"]["credentials_file"]
    assert token.removeprefix("/run/secrets/") in composed()["services"]["prometheus"]["secrets"]
    for file in PROMETHEUS["rule_files"]:
        assert (COMPOSE / file.removeprefix("/etc/")).is_file()
