"""Everything that scenarios share comes from the harness' plugin."""

pytest_plugins = ["harness.plugin"]
