// The TypeScript SDK: `npm install @modelcontextprotocol/client`, and ringmain-postgres on the path.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const { MCP_URL, MCP_KEY, ...environment } = process.env as Record<string, string>;

// With MCP_URL, the server that somebody runs there; else it starts here, with its settings from the environment.
const transport = MCP_URL
  ? new StreamableHTTPClientTransport(new URL(MCP_URL), {
      requestInit: { headers: { Authorization: `Bearer ${MCP_KEY}` } },
    })
  : new StdioClientTransport({ command: "ringmain-postgres", env: environment });

const postgres = new Client({ name: "customers", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
await postgres.connect(transport);
try {
  const answer = await postgres.callTool({
    name: "query",
    arguments: { sql: "SELECT name, born FROM customers WHERE city = $1", params: ["London"], format: "markdown" },
  });
  for (const block of answer.content) if (block.type === "text") console.log(block.text);
} finally {
  await postgres.close();
}
