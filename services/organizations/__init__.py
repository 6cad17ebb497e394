"""MCP server for organizations and their people."""
