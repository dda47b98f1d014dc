"""Runs each of a list of programs (JSON on standard input), and prints a list of what they printed."""

import contextlib
import io
import json
import sys
import traceback

printed = []
for code in json.load(sys.stdin):
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        try:
            exec(compile(code, "snippet", "exec"), {"__name__": "__main__"})
        except Exception:
            traceback.print_exc(file=output)
    printed.append(output.getvalue())
json.dump(printed, sys.stdout)
