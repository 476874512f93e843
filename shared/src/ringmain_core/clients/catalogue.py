"""The clients: where their files are, and what an entry in them looks like, as of November 2026."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from ringmain_core.clients import places, shapes
from ringmain_core.clients.computer import Computer
from ringmain_core.clients.document import Form, entry_at
from ringmain_core.clients.launch import Launch
from ringmain_core.clients.shapes import Entry, Remote

Keys = tuple[str, ...]


@dataclass(frozen=True)
class Client:
    """A program that starts MCP servers, as far as its file is concerned.

    Attributes:
        file: Of the user, on a computer.
        documented: Where that file is, for people: macOS, Linux and Windows.
        source: Where the file and its form are described.
        keys: Under which names the servers stand in it.
        entry: For a server that the client starts.
        remote: For a server at a URL, with what it sends as `Authorization` (`None`: the client signs in
            itself); `None` where the client needs `mcp-remote`.
        variable: How the file refers to a variable in a header: `{}` for the name. Without one, the client
            would keep the key itself in its file.
        asks: Whether the client asks people for secrets and keeps them (`inputs`).
        project: Its file in a project's folder, where it has one; `{}` for the name of the entry.
        own_file: Whether each entry is a file of its own.
        mark: The folder or file that shows that the client is there; by default the folder of its file.
        then: What to do so that it takes notice.
    """

    id: str
    title: str
    file: places.Place
    documented: str
    source: str
    form: Form = "json"
    keys: Keys = ("mcpServers",)
    entry: Callable[[Launch], Entry] = shapes.plain
    remote: Callable[[str, str | None], Entry] | None = None
    variable: str | None = None
    asks: bool = False
    project: str | None = None
    own_file: bool = False
    mark: Callable[[Computer], PurePath] | None = None
    then: str = "Restart {title}."

    def place(self, data: dict[str, Any]) -> Keys:
        """Where servers stand in a file that has these data."""
        if self.id == "opencode":
            servers = entry_at(data, ("mcp", "servers"))
            if isinstance(servers, dict) and "type" not in servers:
                return ("mcp", "servers")  # the form of OpenCode 2, which reads that of OpenCode 1 as well
        return self.keys


_SUPPORT = "`~/Library/Application Support`, `~/.config`, `%APPDATA%`"
_CODE = "`Code/User/{}` in " + _SUPPORT


def _vscode(name: str, title: str, folder: str) -> Client:
    return Client(
        name,
        title,
        places.support(folder, "User", "mcp.json"),
        f"`{folder}/User/mcp.json` in {_SUPPORT}",
        "https://code.visualstudio.com/docs/copilot/reference/mcp-configuration",
        keys=("servers",),
        entry=shapes.typed,
        remote=Remote("url", {"type": "http"}),
        asks=True,
        project=".vscode/mcp.json",
        then="Run `MCP: List Servers` in VS Code and start the server.",
    )


CLIENTS: dict[str, Client] = {
    client.id: client
    for client in (
        Client(
            "claude-desktop",
            "Claude Desktop",
            places.claude_desktop,
            "`Claude/claude_desktop_config.json` in " + _SUPPORT,
            "https://modelcontextprotocol.io/docs/develop/connect-local-servers",
        ),
        Client(
            "claude-code",
            "Claude Code",
            places.in_folder_of("CLAUDE_CONFIG_DIR", ".claude.json"),
            "`~/.claude.json`, or in `CLAUDE_CONFIG_DIR`",
            "https://code.claude.com/docs/en/mcp",
            entry=shapes.typed,
            remote=Remote("url", {"type": "http"}),
            variable="${{{}}}",
            project=".mcp.json",
            mark=lambda computer: computer.home / ".claude.json",
            then="Start a new session of Claude Code; `/mcp` shows the server.",
        ),
        Client(
            "cursor",
            "Cursor",
            places.home(".cursor", "mcp.json"),
            "`~/.cursor/mcp.json`",
            "https://cursor.com/docs/mcp",
            remote=Remote("url"),
            variable="${{env:{}}}",
            project=".cursor/mcp.json",
        ),
        _vscode("vscode", "VS Code", "Code"),
        _vscode("vscode-insiders", "VS Code Insiders", "Code - Insiders"),
        Client(
            "devin",
            "Devin Desktop (Windsurf's new name) and CLI",
            places.devin,
            "`~/.config/devin/mcp_config.json`, `%APPDATA%\\devin\\mcp_config.json`",
            "https://docs.devin.ai/cli/extensibility/mcp/configuration",
            remote=Remote("url"),
            project=".devin/mcp_config.json",
        ),
        Client(
            "windsurf",
            "Windsurf up to June 2026",
            places.home(".codeium", "windsurf", "mcp_config.json"),
            "`~/.codeium/windsurf/mcp_config.json`",
            "https://docs.windsurf.com/windsurf/cascade/mcp",
            remote=Remote("serverUrl"),
            variable="${{env:{}}}",
            then="Press the refresh button of the MCP servers in Windsurf.",
        ),
        Client(
            "zed",
            "Zed",
            places.zed,
            "`~/.config/zed/settings.json`, `%APPDATA%\\Zed\\settings.json`",
            "https://zed.dev/docs/ai/mcp",
            keys=("context_servers",),
            remote=Remote("url"),
            then="Zed takes notice by itself.",
        ),
        Client(
            "gemini-cli",
            "Gemini CLI",
            places.home(".gemini", "settings.json"),
            "`~/.gemini/settings.json`",
            "https://github.com/google-gemini/gemini-cli/blob/main/docs/tools/mcp-server.md",
            remote=Remote("httpUrl"),
            variable="${{{}}}",
            project=".gemini/settings.json",
        ),
        Client(
            "qwen-code",
            "Qwen Code",
            places.home(".qwen", "settings.json"),
            "`~/.qwen/settings.json`",
            "https://qwenlm.github.io/qwen-code-docs/en/users/features/mcp/",
            remote=Remote("httpUrl"),
            variable="${{{}}}",
        ),
        Client(
            "codex",
            "Codex",
            places.in_folder_of("CODEX_HOME", ".codex", "config.toml"),
            "`~/.codex/config.toml`, or in `CODEX_HOME`",
            "https://developers.openai.com/codex/mcp",
            form="toml",
            keys=("mcp_servers",),
            remote=shapes.codex_remote,
            variable="{}",
            project=".codex/config.toml",
        ),
        Client(
            "goose",
            "Goose",
            places.goose,
            "`~/.config/goose/config.yaml`, `%APPDATA%\\Block\\goose\\config\\config.yaml`",
            "https://block.github.io/goose/docs/guides/config-files",
            form="yaml",
            keys=("extensions",),
            entry=shapes.goose,
            remote=shapes.goose_remote,
            variable="${{{}}}",
            then="Start a new session of Goose.",
        ),
        Client(
            "cline",
            "Cline in VS Code",
            places.extension("saoudrizwan.claude-dev", "cline_mcp_settings.json"),
            _CODE.format("globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"),
            "https://docs.cline.bot/mcp/configuring-mcp-servers",
            remote=Remote("url", {"type": "streamableHttp"}),
            mark=lambda computer: computer.support / "Code/User/globalStorage/saoudrizwan.claude-dev",
            then="Cline takes notice by itself.",
        ),
        Client(
            "cline-cli",
            "Cline CLI",
            places.cline_cli,
            "`~/.cline/data/settings/cline_mcp_settings.json`, or in `CLINE_DIR`, `CLINE_DATA_DIR`",
            "https://docs.cline.bot/mcp/mcp-overview",
            remote=Remote("url", {"type": "streamableHttp"}),
            mark=lambda computer: computer.home / ".cline",
        ),
        Client(
            "continue",
            "Continue",
            places.continue_dev,
            "`~/.continue/mcpServers/{name}.json`",
            "https://docs.continue.dev/customize/deep-dives/mcp",
            project=".continue/mcpServers/{}.json",
            own_file=True,
            mark=lambda computer: computer.home / ".continue",
            then="Reload the editor's window; Continue uses MCP in agent mode.",
        ),
        Client(
            "lm-studio",
            "LM Studio",
            places.lm_studio,
            "`~/.lmstudio/mcp.json`; `~/.cache/lm-studio/mcp.json` where that is all there is",
            "https://lmstudio.ai/docs/app/mcp",
            remote=None,
            then="LM Studio takes notice by itself.",
        ),
        Client(
            "opencode",
            "OpenCode",
            places.opencode,
            "`~/.config/opencode/opencode.json`, or `opencode.jsonc` there",
            "https://opencode.ai/docs/mcp-servers/",
            keys=("mcp",),
            entry=shapes.opencode,
            remote=Remote("url", {"type": "remote"}),
            variable="{{env:{}}}",
            project="opencode.json",
        ),
        Client(
            "kiro",
            "Kiro",
            places.home(".kiro", "settings", "mcp.json"),
            "`~/.kiro/settings/mcp.json`",
            "https://kiro.dev/docs/mcp/configuration",
            remote=Remote("url"),
            variable="${{{}}}",
            project=".kiro/settings/mcp.json",
            mark=lambda computer: computer.home / ".kiro",
            then="Kiro takes notice by itself; it asks before it fills in a variable.",
        ),
        Client(
            "copilot-cli",
            "GitHub Copilot CLI",
            places.in_folder_of("COPILOT_HOME", ".copilot", "mcp-config.json"),
            "`~/.copilot/mcp-config.json`, or in `COPILOT_HOME`",
            "https://docs.github.com/en/copilot/how-tos/copilot-cli/customize-copilot/add-mcp-servers",
            entry=shapes.copilot,
            remote=Remote("url", {"type": "http"}, {"tools": ["*"]}),
            variable="${{{}}}",
        ),
    )
}
