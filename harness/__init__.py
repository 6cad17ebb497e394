"""Starts the simulated system, breaks it, moves its clock, watches it and proves it.

The front door for scripts is :func:`running`::

    import harness

    with harness.running(ports="random", seed=7) as stack:
        print(stack.url("ui"))
"""

__version__ = "0.1.0"
__all__ = ["__version__", "running"]


def __getattr__(name: str) -> object:
    # Lazy: ``python -m harness`` imports this package before its libraries are installed.
    if name == "running":
        from harness.launch import running  # noqa: PLC0415

        return running
    raise AttributeError(f"module 'harness' has no attribute {name!r}")
