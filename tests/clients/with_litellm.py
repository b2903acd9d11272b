"""litellm: every usual call."""

import json
import os
from importlib.metadata import version

from common import BASE, CHOICE, EMBEDDING, FORMAT, KEY, LONG, MODEL, QUESTION, TOOL, check, expect

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import litellm

litellm.suppress_debug_info = True
WHO = f"litellm {version('litellm')}"
OWN = {"model": f"openai/{MODEL}", "api_base": BASE, "api_key": KEY}


def ask(**more):
    return litellm.completion(**{"messages": QUESTION, "max_tokens": 8, **OWN, **more})


def models():
    names = litellm.get_valid_models(check_provider_endpoint=True, custom_llm_provider="openai", api_base=BASE, api_key=KEY)
    assert any(name.endswith(MODEL) for name in names), names


def plain():
    assert ask().choices[0].message.content is not None


def log_probabilities():
    assert ask(logprobs=True, top_logprobs=2, n=2).choices[1].logprobs


async def asynchronous():
    assert (await litellm.acompletion(messages=QUESTION, max_tokens=4, **OWN)).choices


def stream():
    chunks = list(ask(stream=True, stream_options={"include_usage": True}))
    assert litellm.stream_chunk_builder(chunks, messages=QUESTION).usage.completion_tokens


async def asynchronous_stream():
    chunks = await litellm.acompletion(messages=QUESTION, max_tokens=4, stream=True, **OWN)
    assert [chunk async for chunk in chunks]


def forced():
    call = ask(tools=[TOOL], tool_choice=CHOICE, max_tokens=100).choices[0].message
    assert call.tool_calls[0].function.name == "get_weather"
    answered = {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "Sunny."}
    ask(messages=[*QUESTION, call.model_dump(), answered], tools=[TOOL])


def streamed_call():
    chunks = list(ask(tools=[TOOL], tool_choice="required", max_tokens=100, stream=True))
    message = litellm.stream_chunk_builder(chunks, messages=QUESTION).choices[0].message
    assert json.loads(message.tool_calls[0].function.arguments)["city"] in ("Bern", "Oslo")


def schema():
    text = ask(response_format=FORMAT, max_tokens=60).choices[0].message.content
    assert json.loads(text)["colour"] in ("red", "green")


def json_object():
    assert ask(response_format={"type": "json_object"}, max_tokens=60).choices


def text():
    own = {**OWN, "model": f"text-completion-openai/{MODEL}", "max_tokens": 4}
    assert litellm.text_completion(prompt="The sky is", **own).choices
    assert len(litellm.text_completion(prompt=["The sky is", "Grass is"], **own).choices) == 2


def streamed_text():
    own = {**OWN, "model": f"text-completion-openai/{MODEL}", "max_tokens": 4}
    assert list(litellm.text_completion(prompt="The sky is", stream=True, **own))


def embeddings():
    answer = litellm.embedding(model=f"openai/{EMBEDDING}", input=["one", "two"], api_base=BASE, api_key=KEY)
    assert len(answer.data) == 2


def responses():
    assert litellm.responses(input="Name two colours.", max_output_tokens=16, **OWN).output


def streamed_responses():
    assert list(litellm.responses(input="Name two colours.", max_output_tokens=16, stream=True, **OWN))


def too_long():
    expect(litellm.ContextWindowExceededError, lambda: ask(messages=[{"role": "user", "content": LONG}]))


def wrong_value():
    expect(litellm.BadRequestError, lambda: ask(temperature=-1))


def unknown_model():
    expect(litellm.NotFoundError, lambda: ask(model="openai/gpt-9"))


def run():
    kinds = {
        "models": [models],
        "chat": [plain, log_probabilities, asynchronous],
        "stream": [stream, asynchronous_stream],
        "tools": [forced, streamed_call],
        "structured": [schema, json_object],
        "completions": [text, streamed_text],
        "embeddings": [embeddings] if EMBEDDING else [],
        "responses": [responses, streamed_responses],
        "errors": [too_long, wrong_value, unknown_model],
    }
    for kind, calls in kinds.items():
        for call in calls:
            check(WHO, kind, call.__name__, call)
