"""What of the document a run has tried, told by tracecov at its end. It is not installed with the harness.

Loaded by ``harness.fuzzer_login`` where it is asked for.
"""

from __future__ import annotations

import importlib

importlib.import_module("tracecov.schemathesis").install()  # by name: no type checker finds what may not be there
