"""`install`: an entry for a connector in the file of an MCP client, and nothing else in it touched."""
