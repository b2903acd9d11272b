"""llm: its commands, with the server's models in its list, in a folder of its own."""

import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from common import BASE, EMBEDDING, KEY, MODEL, check

WHO = f"llm {version('llm')}"
folder = tempfile.TemporaryDirectory()

# As its documentation adds models that speak OpenAI's form.
Path(folder.name, "extra-openai-models.yaml").write_text(f"""
- model_id: own
  model_name: {MODEL}
  api_base: {BASE}
  supports_tools: true
  supports_schema: true
- model_id: own-text
  model_name: {MODEL}
  api_base: {BASE}
  completion: true
""")


def llm(*arguments, text=None):
    own = {**os.environ, "LLM_USER_PATH": folder.name, "OPENAI_API_KEY": KEY}
    done = subprocess.run([sys.executable, "-m", "llm", *arguments], input=text, capture_output=True, text=True, env=own)
    if done.returncode != 0:
        raise AssertionError(done.stderr[-300:])
    return done.stdout


# A small model drawn from by chance may say nothing at all.
SHORT = ["-o", "max_tokens", "8", "-o", "temperature", "0"]


def models():
    assert "own" in llm("models", "list")


def prompt():
    assert llm("prompt", "-m", "own", "--no-stream", *SHORT, "Name two colours.").strip()


def system_and_pipe():
    assert llm("-m", "own", "-s", "Be brief.", *SHORT, text="Name two colours.").strip()


def conversation():
    llm("-m", "own", *SHORT, "Hi.")
    assert llm("-c", *SHORT, "And again.").strip()


def stream():
    assert llm("prompt", "-m", "own", *SHORT, "Name two colours.").strip()


def tools():
    llm("prompt", "-m", "own", "-T", "llm_version", "-o", "max_tokens", "60", "Which version of llm is this?")


def schema():
    assert "colour" in llm("prompt", "-m", "own", "--schema", "colour str", "-o", "max_tokens", "60", "Name a colour.")


def completions():
    assert llm("prompt", "-m", "own-text", *SHORT, "The sky is").strip()


def embeddings():
    """Its own list of embedding models has one that names a server."""
    code = (
        "import llm\n"
        "from llm.default_plugins.openai_models import OpenAIEmbeddingModel\n"
        "own = OpenAIEmbeddingModel('own-embeddings', %r, None)\n"
        "own.key = %r\n"
        "assert len(own.embed('one')) > 100 and len(list(own.embed_multi(['one', 'two']))) == 2\n"
    ) % (EMBEDDING, KEY)
    own = {**os.environ, "LLM_USER_PATH": folder.name, "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": BASE}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=own)
    assert done.returncode == 0, done.stderr[-300:]


def wrong_value():
    try:
        llm("prompt", "-m", "own", "-o", "temperature", "2", "-o", "top_p", "1", "-o", "max_tokens", "0", "Hi.")
    except AssertionError as error:
        assert "max_tokens" in str(error), error
        return
    raise AssertionError("no error")


def run():
    kinds = {"models": [models], "chat": [prompt, system_and_pipe, conversation], "stream": [stream], "tools": [tools],
             "structured": [schema], "completions": [completions], "embeddings": [embeddings] if EMBEDDING else [],
             "errors": [wrong_value]}
    for kind, calls in kinds.items():
        for call in calls:
            check(WHO, kind, call.__name__, call)
