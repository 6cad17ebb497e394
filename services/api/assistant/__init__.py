"""The assistant: rules that decide, an agent that acts with the user's own tokens, and the events it streams."""
