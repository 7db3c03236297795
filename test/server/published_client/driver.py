"""Runs all scenarios (or those whose titles have the words of the command line), a line of JSON each: `{"title", "error"}`."""

import json
import sys
import time
import traceback
import warnings
from importlib import import_module

import fused
from scenarios import PLACE, SCENARIOS, SKIPPED

MODULES = ("saved", "runs", "results", "parameters", "failures", "files", "links", "inside", "spellings", "background")

fused.options.base_url = f"{PLACE.url}/server/v1"
fused.options.shared_udf_base_url = PLACE.url
warnings.simplefilter("ignore")
for module in MODULES:
    import_module(module)

words = sys.argv[1:]
for title in SKIPPED:
    print(json.dumps({"title": title, "skipped": "FUSELET_TEST_WHEELS is not set"}), flush=True)
for title, function in SCENARIOS.items():
    if words and not any(word in title for word in words):
        continue
    error = None
    started = time.monotonic()
    try:
        function()
    except Exception:
        error = traceback.format_exc()
    print(json.dumps({"title": title, "error": error, "seconds": round(time.monotonic() - started, 2)}), flush=True)
