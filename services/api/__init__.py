"""REST backend and assistant; MCP client on behalf of the signed-in user."""
