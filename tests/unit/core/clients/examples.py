"""Files of clients as people have them: other servers, comments, odd indentation, other ends of lines."""

FILESYSTEM = (
    '"filesystem": {"command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "/data"]}'
)

CLAUDE_DESKTOP = """\
{
  "globalShortcut": "Ctrl+Alt+Space",
  "mcpServers": {
    "filesystem": {
      "command": "npx",
      "args": ["-y", "@modelcontextprotocol/server-filesystem", "/Users/ann/Desktop"]
    },
    "brave-search": {
      "command": "npx",
      "args": ["-y", "@modelcontextprotocol/server-brave-search"],
      "env": { "BRAVE_API_KEY": "BSA-hunter2" }
    }
  },
  "preferences": { "menuBarEnabled": false }
}
"""

CLAUDE_CODE = """\
{
  "numStartups": 41,
  "installMethod": "native",
  "mcpServers": {
    "filesystem": {"type": "stdio", "command": "npx", "args": ["-y", "fs"], "env": {}}
  },
  "projects": {
    "/home/ann/shop": {
      "allowedTools": [],
      "mcpServers": {"context7": {"type": "http", "url": "https://mcp.context7.com/mcp"}},
      "lastCost": 0.1234,
      "history": [{"display": "fix the “ü” bug 🐛", "pastedContents": {}}]
    }
  },
  "oauthAccount": {"emailAddress": "ann@example.com"}
}"""

CURSOR = '\ufeff{\r\n\t"mcpServers": {\r\n\t\t' + FILESYSTEM + "\r\n\t}\r\n}\r\n"

VSCODE = """\
// Servers for all workspaces
{
    "inputs": [
        {
            "type": "promptString",
            "id": "perplexity-key",
            "description": "Perplexity API Key",
            "password": true, // never shown
        },
    ],
    "servers": {
        /* the one that everybody has */
        "filesystem": {
            "type": "stdio",
            "command": "npx",
            "args": ["-y", "@modelcontextprotocol/server-filesystem", "${workspaceFolder}"],
        },
        "perplexity": {
            "command": "npx",
            "env": {"PERPLEXITY_API_KEY": "${input:perplexity-key}"},
        }, // asks
    },
}
"""

ZED = """\
// Zed settings
//
// To see all of Zed's default settings run `zed: open default settings`
{
  "ui_font_size": 16,
  "theme": {
    "mode": "system", // or "light"
    "light": "One Light",
  },
  "context_servers": {
    "filesystem": { "source": "custom", "command": "npx", "args": ["fs"], "env": {} } // mine
  },
  "vim_mode": true
}
"""

GEMINI = '{"theme": "Default", "mcpServers": {' + FILESYSTEM + '}, "ui": {"hideTips": true}}'

CODEX = """\
# Codex
model = "gpt-5.2-codex"
notify = ["python3", "/home/ann/.codex/notify.py"]

[projects."/home/ann/shop"]
trust_level = "trusted"

[mcp_servers.filesystem]
command = "npx"
args = [
    "-y",
    "@modelcontextprotocol/server-filesystem",  # official
    "/data",
]

[mcp_servers.filesystem.env]
LOG = "debug"

[[profiles]]
name = "work"  # the last table
motto = '''
[mcp_servers.not-a-table]
'''
"""

GOOSE = """\
# Model
GOOSE_PROVIDER: "anthropic"
GOOSE_MODEL: claude-sonnet-5

extensions:
    developer:
        bundled: true
        enabled: true
        name: developer
        timeout: 300
        type: builtin

    filesystem:   # files
        enabled: true
        type: stdio
        cmd: npx
        args:
        - -y
        - '@modelcontextprotocol/server-filesystem'
        - /data
        envs: {}
        description: |
            Reads files,
            and writes them.

    # more to come
GOOSE_SEARCH_PATHS:
  - "~/bin"
"""

OPENCODE = """\
{
  "$schema": "https://opencode.ai/config.json",
  // models
  "model": "anthropic/claude-sonnet-4-5",
  "mcp": {
    "filesystem": {
      "type": "local",
      "command": ["npx", "-y", "@modelcontextprotocol/server-filesystem", "/data"],
      "enabled": true,
    },
  },
}
"""

OPENCODE_2 = """\
{
  "mcp": {
    "servers": {
      "filesystem": { "type": "local", "command": ["npx", "fs"] },
    },
  },
}
"""

CLINE = """\
{
	"mcpServers": {
		"filesystem": {
			"command": "npx",
			"args": ["fs"],
			"alwaysAllow": ["read_file"],
			"disabled": false
		}
	}
}
"""

COPILOT = '{\n   "mcpServers" : {\n      "filesystem" : {\n"type":"local","command":"npx","tools":["*"]}}}\n'

PLAIN = '{\n  "mcpServers": {\n    ' + FILESYSTEM + "\n  }\n}\n"

EXAMPLES = {
    "claude-desktop": CLAUDE_DESKTOP,
    "claude-code": CLAUDE_CODE,
    "cursor": CURSOR,
    "vscode": VSCODE,
    "vscode-insiders": VSCODE.replace("\n", "\r\n"),
    "devin": PLAIN,
    "windsurf": PLAIN,
    "zed": ZED,
    "gemini-cli": GEMINI,
    "qwen-code": GEMINI.replace("{", "{\n", 1),
    "codex": CODEX,
    "goose": GOOSE,
    "cline": CLINE,
    "cline-cli": CLINE.replace("\n", "\r\n"),
    "continue": PLAIN.replace("filesystem", "ringmain-demo"),
    "lm-studio": PLAIN.rstrip(),
    "opencode": OPENCODE,
    "kiro": PLAIN.replace("  ", "\t"),
    "copilot-cli": COPILOT,
}
