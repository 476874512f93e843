from collections.abc import Mapping
from pathlib import PurePath, PurePosixPath, PureWindowsPath

import pytest

from ringmain_core.clients.catalogue import CLIENTS
from ringmain_core.clients.computer import Computer, Platform

HOMES: dict[Platform, PurePath] = {
    "linux": PurePosixPath("/home/ann"),
    "darwin": PurePosixPath("/Users/ann"),
    "win32": PureWindowsPath("C:\\Users\\ann"),
}
SUPPORT = "/Users/ann/Library/Application Support"
ROAMING = "C:\\Users\\ann\\AppData\\Roaming"


def file_of(
    client: str,
    platform: Platform,
    environment: Mapping[str, str] | None = None,
    folders: Mapping[str, tuple[str, ...]] | None = None,
) -> str:
    def folder(path: PurePath) -> tuple[str, ...]:
        return (folders or {}).get(str(path), ())

    computer = Computer(platform, environment or {}, HOMES[platform], folder)
    return str(CLIENTS[client].file(computer, "ringmain-demo"))


@pytest.mark.parametrize(
    ("client", "linux", "mac", "windows"),
    [
        (
            "claude-desktop",
            "/home/ann/.config/Claude/claude_desktop_config.json",
            f"{SUPPORT}/Claude/claude_desktop_config.json",
            f"{ROAMING}\\Claude\\claude_desktop_config.json",
        ),
        ("claude-code", "/home/ann/.claude.json", "/Users/ann/.claude.json", "C:\\Users\\ann\\.claude.json"),
        (
            "cursor",
            "/home/ann/.cursor/mcp.json",
            "/Users/ann/.cursor/mcp.json",
            "C:\\Users\\ann\\.cursor\\mcp.json",
        ),
        (
            "vscode",
            "/home/ann/.config/Code/User/mcp.json",
            f"{SUPPORT}/Code/User/mcp.json",
            f"{ROAMING}\\Code\\User\\mcp.json",
        ),
        (
            "vscode-insiders",
            "/home/ann/.config/Code - Insiders/User/mcp.json",
            f"{SUPPORT}/Code - Insiders/User/mcp.json",
            f"{ROAMING}\\Code - Insiders\\User\\mcp.json",
        ),
        (
            "devin",
            "/home/ann/.config/devin/mcp_config.json",
            "/Users/ann/.config/devin/mcp_config.json",
            f"{ROAMING}\\devin\\mcp_config.json",
        ),
        (
            "windsurf",
            "/home/ann/.codeium/windsurf/mcp_config.json",
            "/Users/ann/.codeium/windsurf/mcp_config.json",
            "C:\\Users\\ann\\.codeium\\windsurf\\mcp_config.json",
        ),
        (
            "zed",
            "/home/ann/.config/zed/settings.json",
            "/Users/ann/.config/zed/settings.json",
            f"{ROAMING}\\Zed\\settings.json",
        ),
        (
            "gemini-cli",
            "/home/ann/.gemini/settings.json",
            "/Users/ann/.gemini/settings.json",
            "C:\\Users\\ann\\.gemini\\settings.json",
        ),
        (
            "qwen-code",
            "/home/ann/.qwen/settings.json",
            "/Users/ann/.qwen/settings.json",
            "C:\\Users\\ann\\.qwen\\settings.json",
        ),
        (
            "codex",
            "/home/ann/.codex/config.toml",
            "/Users/ann/.codex/config.toml",
            "C:\\Users\\ann\\.codex\\config.toml",
        ),
        (
            "goose",
            "/home/ann/.config/goose/config.yaml",
            "/Users/ann/.config/goose/config.yaml",
            f"{ROAMING}\\Block\\goose\\config\\config.yaml",
        ),
        (
            "cline",
            "/home/ann/.config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
            f"{SUPPORT}/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
            f"{ROAMING}\\Code\\User\\globalStorage\\saoudrizwan.claude-dev\\settings\\cline_mcp_settings.json",
        ),
        (
            "cline-cli",
            "/home/ann/.cline/data/settings/cline_mcp_settings.json",
            "/Users/ann/.cline/data/settings/cline_mcp_settings.json",
            "C:\\Users\\ann\\.cline\\data\\settings\\cline_mcp_settings.json",
        ),
        (
            "continue",
            "/home/ann/.continue/mcpServers/ringmain-demo.json",
            "/Users/ann/.continue/mcpServers/ringmain-demo.json",
            "C:\\Users\\ann\\.continue\\mcpServers\\ringmain-demo.json",
        ),
        (
            "lm-studio",
            "/home/ann/.lmstudio/mcp.json",
            "/Users/ann/.lmstudio/mcp.json",
            "C:\\Users\\ann\\.lmstudio\\mcp.json",
        ),
        (
            "opencode",
            "/home/ann/.config/opencode/opencode.json",
            "/Users/ann/.config/opencode/opencode.json",
            "C:\\Users\\ann\\.config\\opencode\\opencode.json",
        ),
        (
            "kiro",
            "/home/ann/.kiro/settings/mcp.json",
            "/Users/ann/.kiro/settings/mcp.json",
            "C:\\Users\\ann\\.kiro\\settings\\mcp.json",
        ),
        (
            "copilot-cli",
            "/home/ann/.copilot/mcp-config.json",
            "/Users/ann/.copilot/mcp-config.json",
            "C:\\Users\\ann\\.copilot\\mcp-config.json",
        ),
    ],
)
def test_each_client_has_its_file_on_each_system(client: str, linux: str, mac: str, windows: str) -> None:
    found = [file_of(client, platform) for platform in ("linux", "darwin", "win32")]
    assert found == [linux, mac, windows]


def test_every_client_is_in_that_table() -> None:
    (mark,) = [
        mark
        for mark in getattr(test_each_client_has_its_file_on_each_system, "pytestmark")  # noqa: B009
        if mark.name == "parametrize"
    ]
    assert [row[0] for row in mark.args[1]] == list(CLIENTS)


@pytest.mark.parametrize(
    ("client", "platform", "environment", "file"),
    [
        ("claude-code", "linux", {"CLAUDE_CONFIG_DIR": "/work/claude"}, "/work/claude/.claude.json"),
        ("claude-code", "linux", {"CLAUDE_CONFIG_DIR": "claude"}, "/home/ann/.claude.json"),
        ("codex", "darwin", {"CODEX_HOME": "/work/codex"}, "/work/codex/config.toml"),
        ("copilot-cli", "linux", {"COPILOT_HOME": "/work/c"}, "/work/c/mcp-config.json"),
        ("cline-cli", "linux", {"CLINE_DIR": "/c"}, "/c/data/settings/cline_mcp_settings.json"),
        ("cline-cli", "linux", {"CLINE_DATA_DIR": "/d"}, "/d/settings/cline_mcp_settings.json"),
        ("cline-cli", "linux", {"CLINE_MCP_SETTINGS_PATH": "/m.json"}, "/m.json"),
        ("goose", "darwin", {"XDG_CONFIG_HOME": "/cfg"}, "/cfg/goose/config.yaml"),
        ("zed", "darwin", {"XDG_CONFIG_HOME": "/cfg"}, "/Users/ann/.config/zed/settings.json"),
        ("zed", "linux", {"XDG_CONFIG_HOME": "/cfg"}, "/cfg/zed/settings.json"),
        ("vscode", "linux", {"XDG_CONFIG_HOME": ""}, "/home/ann/.config/Code/User/mcp.json"),
        ("vscode", "win32", {"APPDATA": "D:\\Roaming"}, "D:\\Roaming\\Code\\User\\mcp.json"),
    ],
)
def test_variables_move_files(
    client: str, platform: Platform, environment: dict[str, str], file: str
) -> None:
    assert file_of(client, platform, environment) == file


def test_the_packaged_claude_of_windows_sees_a_folder_of_its_own() -> None:
    local = "C:\\Users\\ann\\AppData\\Local"
    folders = {f"{local}\\Packages": ("Microsoft.X", "Claude_pzs8sxrjxfjjc")}
    assert file_of("claude-desktop", "win32", {}, folders) == (
        f"{local}\\Packages\\Claude_pzs8sxrjxfjjc\\LocalCache\\Roaming\\Claude\\claude_desktop_config.json"
    )


def test_an_old_lm_studio_is_found_in_the_cache() -> None:
    old, new = "/home/ann/.cache/lm-studio", "/home/ann/.lmstudio"
    assert file_of("lm-studio", "linux", {}, {old: ("mcp.json",)}) == f"{old}/mcp.json"
    assert file_of("lm-studio", "linux", {}, {old: ("x",), new: ("y",)}) == f"{new}/mcp.json"


def test_opencodes_commented_file_is_taken_where_it_is_the_only_one() -> None:
    folder = "/home/ann/.config/opencode"
    assert file_of("opencode", "linux", {}, {folder: ("opencode.jsonc",)}).endswith("opencode.jsonc")
    both = {folder: ("opencode.json", "opencode.jsonc")}
    assert file_of("opencode", "linux", {}, both).endswith("opencode.json")


def test_opencode_2_has_its_servers_one_level_deeper() -> None:
    client = CLIENTS["opencode"]
    assert client.place({}) == ("mcp",)
    assert client.place({"mcp": {"servers": {"type": "local"}}}) == ("mcp",)  # a server of that name
    assert client.place({"mcp": {"servers": {}}}) == ("mcp", "servers")


def test_names_are_plain_and_every_client_says_where_it_was_looked_up() -> None:
    for client in CLIENTS.values():
        assert client.id.replace("-", "").isalnum()
        assert client.source.startswith("https://")
        assert client.documented
        assert "{}" in (client.project or "") or not client.own_file
