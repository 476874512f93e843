"""What clients and readers see of a connector: the snapshot of its schemas and the tables of its README."""

import json
import re
from pathlib import Path
from typing import Any, cast

from contract.discover import ROOT, connectors, package_of
from contract.examples import example_parts
from ringmain_core.clients.catalogue import CLIENTS
from ringmain_core.commands import tokens_of
from ringmain_core.connector import AnyConnector
from ringmain_core.settings import CoreSettings
from ringmain_core.versions import LATEST

SNAPSHOTS = Path(__file__).parent / "snapshots"


def snapshot(connector: AnyConnector) -> str:
    """Everything that a client is told by one version of a connector's API, as JSON text."""
    surface = {
        "instructions": connector.instructions,
        "tools": [tool.listing() for tool in connector.tools],
        "resources": [resource.listing() for resource in connector.resources],
        "prompts": [prompt.listing() for prompt in connector.prompts],
    }
    return json.dumps(surface, indent=2, ensure_ascii=False) + "\n"


def generated() -> dict[Path, str]:
    """Every file with generated parts, as it should be."""
    files = {
        SNAPSHOTS / f"{name}.{version}.json": snapshot(view)
        for name, connector in connectors().items()
        for version, view in connector.views.items()
    }
    for name, all_versions in connectors().items():
        connector = all_versions.views[LATEST]
        readme = package_of(name) / "README.md"
        parts = {
            "tools": tools_table(connector),
            "resources": resources_table(connector),
            "settings": settings_table(connector.settings),
        }
        files[readme] = with_parts(readme, parts)
    core = ROOT / "shared" / "README.md"
    parts = {"settings": settings_table(CoreSettings), "clients": clients_table()}
    files[core] = with_parts(core, parts | example_parts(core))
    root = ROOT / "README.md"
    files[root] = with_parts(root, {"connectors": connectors_table(), **example_parts(root)})
    return files


def is_frozen(path: Path) -> bool:
    """Whether a file is the snapshot of a version that is not the latest: clients rely on what it says."""
    return path.parent == SNAPSHOTS and not path.stem.endswith(f".{LATEST}")


def with_parts(path: Path, parts: dict[str, str]) -> str:
    """A file's text with the parts between `<!-- name -->` and `<!-- /name -->` made anew."""
    text = path.read_text(encoding="utf-8")
    for name, part in parts.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        text, found = re.subn(
            pattern, lambda match, part=part: match[1] + part + match[2], text, flags=re.DOTALL
        )
        if found != 1:
            raise ValueError(f"{path} needs exactly one `<!-- {name} -->` … `<!-- /{name} -->`")
    return text


def tools_table(connector: AnyConnector) -> str:
    rows = ["| tool | access | what it does | arguments | tokens |", "|---|---|---|---|---|"]
    for tool in connector.tools:
        first = tool.description.split("\n")[0]
        arguments = ", ".join(f"`{name}`" for name in tool.arguments.names) or "-"
        rows.append(f"| `{tool.name}` | {tool.access} | {first} | {arguments} | {tokens_of(tool)} |")
    total = sum(tokens_of(tool) for tool in connector.tools)
    return "\n".join(rows) + f"\n\n{len(connector.tools)} tools, {total:,} tokens in every session.\n"


def resources_table(connector: AnyConnector) -> str:
    rows = ["| resource or prompt | what it holds |", "|---|---|"]
    rows += [
        f"| `{resource.uri}` | {resource.description.split(chr(10))[0]} |" for resource in connector.resources
    ]
    rows += [
        f"| prompt `{prompt.name}` | {prompt.description.split(chr(10))[0]} |" for prompt in connector.prompts
    ]
    return "\n".join(rows) + "\n"


def settings_table(settings: Any) -> str:
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in settings.model_fields.items():
        rows.append(f"| `{prefix}{name.upper()}` | {_default(field)} | {field.description} |")
    return "\n".join(rows) + "\n"


def _default(field: Any) -> str:
    if field.default_factory is not None:
        return "per user"
    value = field.default
    if value is None or value == []:
        return "-"
    if isinstance(value, frozenset):
        value = ",".join(sorted(cast("frozenset[str]", value)))
    return f"`{json.dumps(value)}`" if isinstance(value, bool) else f"`{value}`"


def connectors_table() -> str:
    rows = ["| connector | tools | tokens | what an agent can do |", "|---|---|---|---|"]
    for name, all_versions in sorted(connectors().items()):
        connector = all_versions.views[LATEST]
        tokens = sum(tokens_of(tool) for tool in connector.tools)
        names = ", ".join(f"`{tool.name}`" for tool in connector.tools)
        folder = package_of(name).relative_to(ROOT)
        rows.append(
            f"| [`{connector.distribution}`]({folder}/) | {len(connector.tools)} | {tokens:,} | {names} |"
        )
    return "\n".join(rows) + "\n"


def clients_table() -> str:
    rows = [
        "| `--client` | the user's file | servers under | `--project` | a key for `--http` |",
        "|---|---|---|---|---|",
    ]
    for client in CLIENTS.values():
        project = f"`{client.project.format('NAME')}`" if client.project else "-"
        if client.asks:
            key = "it asks, and keeps it"
        elif client.variable:
            key = f"`{client.variable.format('VARIABLE')}`"
        else:
            key = "by `mcp-remote`, in the file"
        keys = ".".join(client.keys)
        rows.append(
            f"| `{client.id}` ([{client.title}]({client.source})) | {client.documented} | "
            f"`{keys}` ({client.form.upper()}) | {project} | {key} |"
        )
    return "\n".join(rows) + "\n"
