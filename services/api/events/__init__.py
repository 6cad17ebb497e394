"""What changes, told as it happens: read from the MCP servers' feeds, and sent on as CloudEvents."""
