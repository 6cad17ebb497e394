"""The layer around every Python service: its journal and its reset. The services know nothing of it."""
