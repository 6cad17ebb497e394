"""How the tables of a service become those of the present code: revisions kept by Alembic, in the service's package."""
