"""Every usual call of the Python clients against a running `dojo serve`; see README.md beside this file.

    python check.py http://127.0.0.1:8080/v1 MODEL [EMBEDDING_MODEL] [CLIENT...]

Prints a line for each call and a table of clients and kinds of calls, and exits with 1 if one fails.
"""

import importlib
import platform
import sys

import common

CLIENTS = ["openai", "litellm", "langchain", "instructor", "llm"]
print("Python", platform.python_version(), "against", common.BASE)
for client in sys.argv[4:] or CLIENTS:
    try:
        checks = importlib.import_module(f"with_{client}")
    except ImportError as error:
        print(f"{client}: left out, {error}")
        continue
    checks.run()
sys.exit(bool(common.table()))
