"""What both MCP servers share: the two-phase app, authorization, errors as results, cursors.

The flow of a request: host and origin guard → bearer token verified → ``ScopeChallenge`` (403 before a tool runs) →
FastMCP → ``ProtocolErrors`` → ``ProblemTool`` → the function, which is handed its desk.
"""
