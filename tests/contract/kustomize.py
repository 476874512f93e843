"""What `kubectl apply -k` sends: as much of kustomize as these manifests use; anything else is refused."""

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

yaml: Any = importlib.import_module("yaml")  # it ships no types
jsonpatch: Any = importlib.import_module("jsonpatch")  # whose stubs are half unknown

Manifest = dict[str, Any]

_KNOWN = {
    "apiVersion",
    "kind",
    "resources",
    "generatorOptions",
    "configMapGenerator",
    "patches",
    "namespace",
    "nameSuffix",
    "labels",
    "images",
}
_CLUSTER_WIDE = {"Namespace"}
_REFERENCES: Mapping[str, tuple[tuple[str, str], ...]] = {
    # kind: where it names another object, and of which kind
    "Deployment": (
        ("spec/template/spec/serviceAccountName", "ServiceAccount"),
        ("spec/template/spec/containers/*/envFrom/*/configMapRef/name", "ConfigMap"),
        ("spec/template/spec/volumes/*/configMap/name", "ConfigMap"),
    ),
    "HorizontalPodAutoscaler": (("spec/scaleTargetRef/name", "Deployment"),),
}
_SELECTORS = (
    # where kustomize puts labels beside an object's own, if there is a selector already
    "spec/selector/matchLabels",
    "spec/template/metadata/labels",
    "spec/template/spec/topologySpreadConstraints/*/labelSelector/matchLabels",
    "spec/podSelector/matchLabels",
    "spec/ingress/*/from/*/podSelector/matchLabels",
    "spec/egress/*/to/*/podSelector/matchLabels",
)


def built(folder: Path) -> list[Manifest]:
    """Every object of a kustomization and of those that it builds on."""
    said = _read(folder / "kustomization.yaml")
    unknown = set(said) - _KNOWN
    if unknown:
        raise ValueError(f"{folder}: this does not know {unknown}")
    if said["generatorOptions"] != {"disableNameSuffixHash": True}:
        raise ValueError(f"{folder}: names of generated objects would have hashes")
    found = [each for name in said.get("resources", []) for each in _resource(folder / name)]
    for generator in said.get("configMapGenerator", []):
        _generate(folder, generator, found)
    for patch in said.get("patches", []):
        _patch(patch, found)
    _rename(said.get("nameSuffix", ""), found)
    for each in found:
        for labels in said.get("labels", []):
            _label(each, labels)
        for image in said.get("images", []):
            _set_image(each, image)
        if "namespace" in said and each["kind"] not in _CLUSTER_WIDE:
            each["metadata"]["namespace"] = said["namespace"]
    return found


def at(manifest: Any, path: str) -> Iterator[tuple[Any, str]]:
    """Every place of a path that is there, as what holds it and its key; `*` goes through a list."""
    first, _, rest = path.partition("/")
    if first == "*":
        for item in manifest:
            yield from at(item, rest)
    elif first in manifest:
        if not rest:
            yield manifest, first
        elif manifest[first] is not None:
            yield from at(manifest[first], rest)


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _resource(path: Path) -> list[Manifest]:
    if path.is_dir():
        return built(path)
    return [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each is not None]


def _generate(folder: Path, generator: Mapping[str, Any], found: list[Manifest]) -> None:
    if set(generator) - {"name", "behavior", "literals", "files"}:
        raise ValueError(f"{folder}: this does not know {set(generator)} of a generator")
    data = dict(literal.split("=", 1) for literal in generator.get("literals", []))
    data |= {name: (folder / name).read_text(encoding="utf-8") for name in generator.get("files", [])}
    same = [each for each in found if each["kind"] == "ConfigMap" and _name(each) == generator["name"]]
    if generator.get("behavior", "create") == "merge":
        (merged,) = same
        merged["data"] |= data
        return
    if same:
        raise ValueError(f"{folder}: {generator['name']} is there already")
    metadata = {"name": generator["name"]}
    found.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def _patch(patch: Mapping[str, Any], found: list[Manifest]) -> None:
    targets = [each for each in found if each["kind"] == patch["target"]["kind"]]
    if not targets or set(patch["target"]) != {"kind"}:
        raise ValueError(f"a patch has no target: {patch['target']}")
    for target in targets:
        done = jsonpatch.apply_patch(target, yaml.safe_load(patch["patch"]))
        target.clear()
        target.update(done)


def _rename(suffix: str, found: list[Manifest]) -> None:
    names = {(each["kind"], _name(each)) for each in found}
    for each in found:
        for path, kind in _REFERENCES.get(each["kind"], ()):
            for holder, key in at(each, path):
                if (kind, holder[key]) in names:
                    holder[key] += suffix
    for each in found:
        each["metadata"]["name"] += suffix


def _label(manifest: Manifest, labels: Mapping[str, Any]) -> None:
    if labels.get("includeSelectors") is not True:
        raise ValueError("this knows labels with selectors only")
    manifest["metadata"].setdefault("labels", {}).update(labels["pairs"])
    for path in _SELECTORS:
        for holder, key in at(manifest, path):
            holder[key] = {**holder[key], **labels["pairs"]}
    if manifest["kind"] == "Service":
        manifest["spec"]["selector"].update(labels["pairs"])


def _set_image(manifest: Manifest, image: Mapping[str, str]) -> None:
    for holder, key in at(manifest, "spec/template/spec/containers/*/image"):
        if holder[key] == image["name"]:
            holder[key] = f"{image['newName']}:{image['newTag']}"


def _name(manifest: Manifest) -> str:
    return manifest["metadata"]["name"]
