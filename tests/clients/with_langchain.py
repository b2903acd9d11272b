"""langchain-openai: every usual call."""

import os
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from common import BASE, EMBEDDING, KEY, LONG, MODEL, check, expect

if litellm := find_spec("litellm"):
    # Tables of tokens that would be fetched from elsewhere.
    own = Path(litellm.origin).parent / "litellm_core_utils" / "tokenizers"
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(own))

import openai
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings
from pydantic import BaseModel

WHO = f"langchain-openai {version('langchain-openai')}"
OWN = {"model": MODEL, "base_url": BASE, "api_key": KEY, "max_retries": 0, "timeout": 600}
model = ChatOpenAI(max_tokens=200, **OWN)
text = OpenAI(max_tokens=8, **OWN)
other = ChatOpenAI(use_responses_api=True, max_tokens=16, **OWN)


@tool
def get_weather(city: Literal["Bern", "Oslo"]) -> str:
    """The weather of a city."""
    return f"Sunny in {city}."


class Colour(BaseModel):
    """A colour."""

    colour: Literal["red", "green"]


def invoke():
    answer = model.invoke("Name two colours.")
    assert isinstance(answer.content, str) and answer.usage_metadata["output_tokens"]


def batch():
    assert len(model.batch(["one", "two"])) == 2


def log_probabilities():
    answer = model.bind(logprobs=True, top_logprobs=2).invoke("Name two colours.")
    assert answer.response_metadata["logprobs"]["content"]


async def asynchronous():
    assert (await ChatOpenAI(max_tokens=8, **OWN).ainvoke("Name a colour.")).content is not None


def stream():
    pieces = list(model.stream("Name two colours."))
    assert len(pieces) > 1


async def asynchronous_stream():
    assert [piece async for piece in ChatOpenAI(max_tokens=8, **OWN).astream("Name a colour.")]


def bind_tools():
    answer = model.bind_tools([get_weather], tool_choice="get_weather").invoke("What is the weather in Bern?")
    call = answer.tool_calls[0]
    assert call["name"] == "get_weather" and get_weather.invoke(call["args"]).startswith("Sunny")
    history = [("user", "What is the weather in Bern?"), answer, ToolMessage("Sunny.", tool_call_id=call["id"])]
    model.bind_tools([get_weather]).invoke(history)


def streamed_call():
    whole = None
    for piece in model.bind_tools([get_weather], tool_choice="any").stream("The weather in Bern?"):
        whole = piece if whole is None else whole + piece
    assert whole.tool_calls[0]["args"]["city"] in ("Bern", "Oslo")


def by_method(method):
    def structured():
        found = model.with_structured_output(Colour, method=method).invoke("Which colour is grass? Answer in JSON.")
        assert isinstance(found, Colour)

    structured.__name__ = method
    return structured


def plain_completions():
    assert isinstance(text.invoke("The sky is"), str)


def several_completions():
    assert len(text.generate(["The sky is", "Grass is"]).generations) == 2


def streamed_completions():
    assert list(text.stream("The sky is"))


def responses():
    assert other.invoke("Name two colours.").content is not None


def streamed_responses():
    assert list(other.stream("Name two colours."))


def tools_by_responses():
    called = ChatOpenAI(use_responses_api=True, max_tokens=200, **OWN).bind_tools([get_weather], tool_choice="get_weather").invoke("The weather?")
    assert called.tool_calls[0]["name"] == "get_weather"


def embeddings():
    own = OpenAIEmbeddings(model=EMBEDDING, base_url=BASE, api_key=KEY, check_embedding_ctx_length=False)
    assert len(own.embed_documents(["one", "two"])) == 2 and len(own.embed_query("one")) > 100


def embeddings_of_tokens():
    """As they are by default: the client counts, and sends, the tokens of another tokenizer."""
    own = OpenAIEmbeddings(model=EMBEDDING, base_url=BASE, api_key=KEY)
    try:
        assert len(own.embed_query("hello")) > 100
    except openai.BadRequestError as error:
        assert "check_embedding_ctx_length=False" in str(error)


def too_long():
    expect(ContextOverflowError, lambda: model.invoke(LONG))


def unknown_model():
    expect(openai.NotFoundError, lambda: ChatOpenAI(**{**OWN, "model": "gpt-9"}).invoke("Hi."))


def run():
    kinds = {
        "chat": [invoke, batch, log_probabilities, asynchronous],
        "stream": [stream, asynchronous_stream],
        "tools": [bind_tools, streamed_call],
        "structured": [by_method("json_schema"), by_method("function_calling")],
        "completions": [plain_completions, several_completions, streamed_completions],
        "embeddings": [embeddings, embeddings_of_tokens] if EMBEDDING else [],
        "responses": [responses, streamed_responses, tools_by_responses],
        "errors": [too_long, unknown_model],
    }
    for kind, calls in kinds.items():
        for call in calls:
            check(WHO, kind, call.__name__, call)
