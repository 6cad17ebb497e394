"""The simulated system: five services, each a package with ``app:create_app``."""
