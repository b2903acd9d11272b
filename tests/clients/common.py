"""What the checks of all Python clients share: the server that is asked, the questions, and the table of outcomes."""

import asyncio
import inspect
import sys
import time

BASE, MODEL = sys.argv[1].rstrip("/"), sys.argv[2]
EMBEDDING = sys.argv[3] if len(sys.argv) > 3 else None
KEY = "unused"
KINDS = ("models", "chat", "stream", "tools", "structured", "completions", "embeddings", "responses", "errors")
QUESTION = [{"role": "user", "content": "Name two colours."}]
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Bern", "Oslo"]}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "description": "The weather of a city.", "parameters": PARAMETERS},
}
CHOICE = {"type": "function", "function": {"name": "get_weather"}}
SCHEMA = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "green"]}},
    "required": ["colour"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "colour", "schema": SCHEMA, "strict": True}}
LONG = "word " * 200_000

# One for all: some clients keep their connections from call to call.
loop = asyncio.new_event_loop()
# Of each client and kind: how many calls held, and how many there were.
outcomes = {}


def check(client, kind, name, call):
    """Makes a call, and notes whether it held. `call` may be a coroutine function."""
    held, made = outcomes.setdefault(client, {}).get(kind, (0, 0))
    began = time.time()
    try:
        loop.run_until_complete(call()) if inspect.iscoroutinefunction(call) else call()
    except Exception as error:
        text = " ".join(str(error).split())
        print(f"{client:26} {kind:12} {name:26} FAILED {type(error).__name__}: {text[:300]}", flush=True)
    else:
        held += 1
        print(f"{client:26} {kind:12} {name:26} ok, {time.time() - began:.1f} s", flush=True)
    outcomes[client][kind] = (held, made + 1)


def expect(error, call):
    """The error that a call ends with, which must be of this kind."""
    try:
        call()
    except error as found:
        return found
    raise AssertionError(f"no {error.__name__}")


def table():
    """Prints clients and kinds of calls; returns how many calls failed."""
    print("\n| client | " + " | ".join(KINDS) + " |\n" + "|---" * (len(KINDS) + 1) + "|")
    failed = 0
    for client, kinds in outcomes.items():
        cells = []
        for kind in KINDS:
            held, made = kinds.get(kind, (0, 0))
            failed += made - held
            cells.append("" if made == 0 else f"{held} of {made}")
        print(f"| {client} | " + " | ".join(cells) + " |")
    print("failed:", failed or "none", flush=True)
    return failed
