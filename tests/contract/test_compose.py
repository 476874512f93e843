"""`compose.yaml` and what it mounts: valid by the published schema, and true to what the servers are."""

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import pytest
from jsonschema import ValidationError

from contract.deployment import (
    COMPOSE,
    compose_validator,
    composed,
    environment_of,
    example_settings,
    interpolated,
    read_yaml,
    secrets_named,
    settings_of,
)
from contract.discover import connectors
from ringmain_core.policy_file import load_policy
from ringmain_core.principal import Principal
from ringmain_core.secrets import Secrets
from ringmain_core.settings import CoreSettings
from ringmain_core.transport.http import _DRAIN_SECONDS  # pyright: ignore[reportPrivateUsage]

NAMES = sorted(connectors())
SERVICES: Mapping[str, Any] = composed()["services"]
OTHERS = sorted(set(SERVICES) - set(NAMES))
CADDYFILE = (COMPOSE / "proxy" / "Caddyfile").read_text(encoding="utf-8")
SECONDS_TO_CLOSE = 5  # what a server may take beyond its drain


def test_the_file_is_valid_by_the_specifications_schema() -> None:
    compose_validator().validate(composed())
    with pytest.raises(ValidationError, match="'read_onli' was unexpected"):
        compose_validator().validate({"services": {"slack": {"image": "x", "read_onli": True}}})


@pytest.mark.parametrize("name", NAMES)
def test_each_connector_is_a_service_of_its_own_and_a_profile(name: str) -> None:
    service = SERVICES[name]
    assert service["profiles"] == [name, "all"]
    assert service["command"] == ["serve"]
    assert service["image"] == f"ringmain-{name}:${{IMAGE_TAG}}"
    dockerfile = {"context": "..", "dockerfile": "compose/Dockerfile", "args": {"PACKAGE": name}}
    assert service["build"] == dockerfile
    assert f"{name}-state:/data" in service["volumes"]
    assert environment_of(service)["RINGMAIN_PUBLIC_URL"].endswith(f"/{name}")


def test_the_proxy_and_prometheus_know_every_connector() -> None:
    for listed in re.findall(r"path_regexp connector \S*?\(([a-z|]+)\)", CADDYFILE):
        assert sorted(listed.split("|")) == NAMES
    scraped = read_yaml(COMPOSE / "prometheus" / "prometheus.yml")["scrape_configs"][0]["dns_sd_configs"][0]
    assert sorted(scraped["names"]) == NAMES
    for name in NAMES:
        assert environment_of(SERVICES[name])["RINGMAIN_METRICS_PORT"] == str(scraped["port"])


def test_a_service_that_is_asked_for_brings_all_that_it_depends_on() -> None:
    for name, service in SERVICES.items():
        for needed in service.get("depends_on", {}):
            missing = set(service.get("profiles", [])) - set(SERVICES[needed].get("profiles", []))
            assert not SERVICES[needed].get("profiles") or not missing, f"{name} needs {needed}"


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    networks = composed()["networks"]
    internal = {name for name, network in networks.items() if network == {"internal": True}}
    assert internal == {"front", "back", "watch"}
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert not [name for name, service in SERVICES.items() if "network_mode" in service]
    assert {name for name in OTHERS if set(SERVICES[name]["networks"]) - internal} == {"proxy"}
    for name in NAMES:
        assert set(SERVICES[name]["networks"]) - internal <= {"outside"}
        assert "edge" not in SERVICES[name]["networks"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_has_as_few_rights_as_it_can_do_with(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name != "keycloak")
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert not service.get("privileged")
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    for volume in service.get("volumes", []):
        source, *_ = volume.split(":")
        assert source in composed()["volumes"] or source.startswith("./"), volume
        assert not source.startswith("./") or volume.endswith(":ro"), volume


def test_grafanas_own_metrics_are_nobodys() -> None:
    assert environment_of(SERVICES["grafana"])["GF_METRICS_ENABLED"] == "false"


def test_every_image_but_our_own_is_one_version_of_one_registry() -> None:
    for name in OTHERS:
        assert re.fullmatch(r"[a-z]+\.io/[\w/-]+:v?\d+\.\d+[\w.-]*", SERVICES[name]["image"]), name


def test_every_service_says_how_it_is() -> None:
    assert "HEALTHCHECK" in (COMPOSE / "Dockerfile").read_text(encoding="utf-8")
    silent = {name for name in OTHERS if "healthcheck" not in SERVICES[name]}
    assert silent == {"collector"}  # its image holds one program, which cannot ask


@pytest.mark.parametrize("name", NAMES)
def test_a_server_is_not_killed_before_it_has_finished(name: str) -> None:
    patience = int(SERVICES[name]["stop_grace_period"].removesuffix("s"))
    assert patience >= _DRAIN_SECONDS + SECONDS_TO_CLOSE
    (proxys,) = re.findall(r"grace_period (\d+)s", CADDYFILE)
    assert int(SERVICES["proxy"]["stop_grace_period"].removesuffix("s")) > int(proxys) >= patience


def test_the_proxys_limit_for_bodies_is_the_servers() -> None:
    found = re.search(r"max_size (\d+)MiB", CADDYFILE)
    assert found is not None
    assert int(found[1]) * 1024 * 1024 == CoreSettings().max_body_bytes


def test_the_example_of_settings_has_every_variable_and_no_other() -> None:
    text = (COMPOSE / "compose.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"(?<!\$)\$\{(\w+)", text)) == set(example_settings())
    assert not re.findall(r"(?<!\$)\$\{\w+[:?+-]", text), "a default would be a second place for a setting"


@pytest.mark.parametrize("name", NAMES)
def test_a_connector_is_given_settings_that_it_has(name: str) -> None:
    known = {variable for variable, _ in settings_of(name)}
    given = {each for each in environment_of(SERVICES[name]) if each.startswith("RINGMAIN_")}
    assert given <= known


def test_the_example_names_settings_that_there_are() -> None:
    known = {variable for name in NAMES for variable, _ in settings_of(name)}
    assert {name for name in example_settings() if name.startswith("RINGMAIN_")} <= known


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_is_in_the_environment(name: str) -> None:
    given = environment_of(SERVICES[name])
    secret = {variable for variable, field in settings_of(name) if "Secret" in str(field)} & set(given)
    assert secret >= {"RINGMAIN_SECRET_KEY", "RINGMAIN_AUDIT_KEY", "RINGMAIN_REDIS_URL"}
    in_the_clear = {
        variable for variable in secret if not given[variable].startswith("file:/run/secrets/")
    }  # one word, and an address without a password
    assert in_the_clear <= {"RINGMAIN_ACCOUNTS", "RINGMAIN_VECTOR_STORE"}
    assert secrets_named(given) <= set(SERVICES[name]["secrets"])


def test_secrets_are_declared_and_used() -> None:
    used = {
        each if isinstance(each, str) else each["source"]
        for service in SERVICES.values()
        for each in service.get("secrets", [])
    }
    assert used == set(composed()["secrets"])
    for service in SERVICES.values():
        mounted = {each if isinstance(each, str) else each["target"] for each in service.get("secrets", [])}
        named = set(re.findall(r"/run/secrets/([\w.]+)", interpolated(str(service))))
        assert named <= mounted | {"postgres_url", "proxy_cert", "proxy_key"} & mounted, service["image"]


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_that_is_replaced_by_another_file_is_the_one_that_sighup_reads(name: str) -> None:
    path = PurePosixPath(environment_of(SERVICES[name])["RINGMAIN_POLICY"])
    (source,) = [each.split(":")[0] for each in SERVICES[name]["volumes"] if str(path.parent) in each]
    assert f"{source}:{path.parent}:ro" in SERVICES[name]["volumes"], "a file would be mounted by its inode"
    assert (COMPOSE / source / path.name).is_file()


@pytest.mark.parametrize("file", ["policy/policy.toml", "kubernetes/policy.toml"])
@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_a_policy_is_one_for_each_connector(name: str, file: str, tmp_path: Path) -> None:
    (tmp_path / "assistant_hash").write_text(f"sha256:{'0' * 64}", encoding="utf-8")
    text = (COMPOSE / file).read_text(encoding="utf-8").replace("/run/secrets", str(tmp_path))
    (tmp_path / "policy.toml").write_text(text, encoding="utf-8")
    with Secrets().reading():
        policy = load_policy(tmp_path / "policy.toml", connectors()[name].vocabulary())
    assistant = Principal("assistant", "api_key")
    for tool in connectors()[name].tools:
        grant = policy.grant(assistant, name, tool.name, tool.access)
        assert grant.allowed is (tool.access == "read" and tool.name != "security_posture"), tool.name


def test_tokens_are_taken_from_the_issuer_that_runs_beside_the_servers() -> None:
    with Secrets().reading():
        text = (COMPOSE / "policy" / "policy.toml").read_text(encoding="utf-8")
    example = example_settings()
    address = f"https://{example['PROXY_DOMAIN']}:{example['PROXY_PORT']}"
    (issuer,) = re.findall(r'^issuer = "(.*)"$', text, re.MULTILINE)
    (audience,) = re.findall(r'^audience = "(.*)"$', text, re.MULTILINE)
    keycloak = environment_of(SERVICES["keycloak"])
    realm = read_yaml(COMPOSE / "keycloak" / "realm.json")
    assert audience == interpolated(keycloak["PUBLIC_ADDRESS"]) == address
    assert issuer == f"{interpolated(keycloak['KC_HOSTNAME'])}/realms/{realm['realm']}"
    assert f"path /auth/realms/{realm['realm']}/*" in CADDYFILE
    assert urlsplit(str(issuer)).hostname == interpolated(
        SERVICES["proxy"]["networks"]["front"]["aliases"][0]
    )


def test_the_issuer_gives_every_scope_and_fills_every_placeholder() -> None:
    realm = read_yaml(COMPOSE / "keycloak" / "realm.json")
    declared = {
        f"{name}:{declaration.access}"
        for name, connector in connectors().items()
        for declaration in connector.declarations()
    }
    offered = {scope["name"] for scope in realm["clientScopes"]} - {"ringmain"}
    assert offered == declared == set(realm["defaultOptionalClientScopes"])
    for client in realm["clients"]:
        assert set(client["optionalClientScopes"]) == declared
        assert client["defaultClientScopes"] == ["ringmain"]
    text = (COMPOSE / "keycloak" / "realm.json").read_text(encoding="utf-8")
    keycloak = SERVICES["keycloak"]
    given = set(environment_of(keycloak)) | set(re.findall(r"export (\w+)=", keycloak["entrypoint"][2]))
    assert set(re.findall(r"\$\{(\w+)\}", text)) <= given
