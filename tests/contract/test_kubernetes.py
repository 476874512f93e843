"""The Kubernetes manifests: valid by the published schemas, and true to what the servers are."""

import copy
import re
from collections.abc import Mapping
from typing import Any

import pytest
from jsonschema import ValidationError

from contract.deployment import COMPOSE, kubernetes_validator, secrets_named, settings_of
from contract.discover import connectors
from contract.kustomize import Manifest, built
from ringmain_core.transport.http import _DRAIN_SECONDS  # pyright: ignore[reportPrivateUsage]
from unit.core.http_bench import http_bench

FOLDER = COMPOSE / "kubernetes"
NAMES = sorted(connectors())
OBJECTS = built(FOLDER)
VERSIONS = ("1.31", "1.37")  # the oldest with what is used here, and the newest that is published
SECONDS_TO_CLOSE = 5


def one(kind: str, name: str) -> Manifest:
    (found,) = [each for each in OBJECTS if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def container(name: str) -> Mapping[str, Any]:
    (found,) = one("Deployment", f"ringmain-{name}")["spec"]["template"]["spec"]["containers"]
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid_by_the_strict_schemas(version: str) -> None:
    for manifest in OBJECTS:
        kubernetes_validator(version, manifest["kind"], manifest["apiVersion"]).validate(manifest)


def test_a_mistake_would_be_found() -> None:
    wrong = copy.deepcopy(one("Deployment", f"ringmain-{NAMES[0]}"))
    wrong["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(ValidationError, match="'readinesProbe' was unexpected"):
        kubernetes_validator(VERSIONS[0], wrong["kind"], wrong["apiVersion"]).validate(wrong)


def test_each_connector_has_the_same_kinds_of_objects() -> None:
    for name in NAMES:
        kinds = [each["kind"] for each in OBJECTS if each["metadata"]["name"] == f"ringmain-{name}"]
        assert sorted(kinds) == [
            "Deployment",
            "HorizontalPodAutoscaler",
            "NetworkPolicy",
            "PodDisruptionBudget",
            "Service",
            "ServiceAccount",
        ]
    assert len(OBJECTS) == 7 * len(NAMES) + 3  # each one's settings; namespace, policy, ingress
    assert {each["metadata"].get("namespace") for each in OBJECTS if each["kind"] != "Namespace"} == {
        "ringmain"
    }


@pytest.mark.parametrize("name", NAMES)
def test_everything_about_a_connector_selects_its_pods_and_no_others(name: str) -> None:
    full = f"ringmain-{name}"
    labels = one("Deployment", full)["spec"]["template"]["metadata"]["labels"]
    assert labels == {"app.kubernetes.io/name": "ringmain", "app.kubernetes.io/component": name}
    assert one("Deployment", full)["spec"]["selector"]["matchLabels"] == labels
    assert one("Service", full)["spec"]["selector"] == labels
    assert one("PodDisruptionBudget", full)["spec"]["selector"]["matchLabels"] == labels
    assert one("NetworkPolicy", full)["spec"]["podSelector"]["matchLabels"] == labels
    for spread in one("Deployment", full)["spec"]["template"]["spec"]["topologySpreadConstraints"]:
        assert spread["labelSelector"]["matchLabels"] == labels
    assert one("HorizontalPodAutoscaler", full)["spec"]["scaleTargetRef"]["name"] == full
    assert container(name)["image"].partition(":")[0] == full


@pytest.mark.parametrize("name", NAMES)
def test_what_a_pod_refers_to_is_there(name: str) -> None:
    pod = one("Deployment", f"ringmain-{name}")["spec"]["template"]["spec"]
    one("ServiceAccount", pod["serviceAccountName"])
    settings = one("ConfigMap", container(name)["envFrom"][0]["configMapRef"]["name"])["data"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert set(volumes) == {mount["name"] for mount in container(name)["volumeMounts"]}
    policy = one("ConfigMap", volumes["policy"]["configMap"]["name"])["data"]
    assert settings["RINGMAIN_POLICY"] == f"/etc/ringmain/{next(iter(policy))}"
    secrets = [source["secret"]["name"] for source in volumes["secrets"]["projected"]["sources"]]
    assert secrets == ["ringmain-shared", f"ringmain-{name}"]
    known = {variable for variable, _ in settings_of(name)}
    assert {variable for variable in settings if variable.startswith("RINGMAIN_")} <= known
    readme = (COMPOSE / "README.md").read_text(encoding="utf-8")
    assert {f"`{secret}`" for secret in secrets_named(settings)} <= set(re.findall(r"`\w+`", readme))


@pytest.mark.parametrize("name", NAMES)
def test_pods_are_fit_for_the_restricted_standard(name: str) -> None:
    pod = one("Deployment", f"ringmain-{name}")["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(name)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {kind for volume in pod["volumes"] for kind in volume} <= {
        "name",
        "projected",
        "configMap",
        "emptyDir",
    }
    labels = next(each for each in OBJECTS if each["kind"] == "Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("name", NAMES)
def test_a_pod_is_not_killed_before_its_server_has_finished(name: str) -> None:
    pod = one("Deployment", f"ringmain-{name}")["spec"]["template"]["spec"]
    waits = container(name)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] >= waits + _DRAIN_SECONDS + SECONDS_TO_CLOSE


@pytest.mark.anyio
async def test_probes_ask_what_the_server_answers() -> None:
    probes = [container(NAMES[0])[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")]
    assert [probe["path"] for probe in probes] == ["/healthz", "/healthz", "/readyz?own=true"]
    async with http_bench() as at:
        for probe in probes:
            (host,) = probe["httpHeaders"]
            assert (await at.ask("GET", probe["path"], {host["name"].lower(): host["value"]})).status == 200
            kubelets_own = await at.ask("GET", probe["path"], {"host": "10.1.2.3:8080"})
            assert kubelets_own.status == 421


def test_the_outside_reaches_every_connector_by_the_name_in_its_settings() -> None:
    (ingress,) = [each for each in OBJECTS if each["kind"] == "Ingress"]
    leads = {}
    for rule in ingress["spec"]["rules"]:
        (path,) = rule["http"]["paths"]
        leads[path["backend"]["service"]["name"]] = rule["host"]
        ports = {port["name"] for port in one("Service", path["backend"]["service"]["name"])["spec"]["ports"]}
        assert path["backend"]["service"]["port"]["name"] in ports
    assert leads == {f"ringmain-{name}": f"{name}.mcp.example.com" for name in NAMES}
    for name in NAMES:
        settings = one("ConfigMap", f"ringmain-settings-{name}")["data"]
        assert settings["RINGMAIN_PUBLIC_URL"] == f"https://{leads[f'ringmain-{name}']}"


def test_a_network_policy_keeps_its_peers_when_labels_are_added() -> None:
    for name in NAMES:
        peers = [
            peer
            for rule in one("NetworkPolicy", f"ringmain-{name}")["spec"]["egress"]
            for peer in rule["to"]
            if "podSelector" in peer
        ]
        assert peers
        assert not [peer for peer in peers if "matchLabels" in peer["podSelector"]]
