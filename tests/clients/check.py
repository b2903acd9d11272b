"""Every usual call of the Python clients against a running `dojo serve`; see README.md beside this file.

    python check.py http://127.0.0.1:8080/v1 MODEL [EMBEDDING_MODEL]

Prints a line for each call, and exits with 1 if one fails.
"""

import json
import subprocess
import sys
from importlib.metadata import version

BASE, MODEL = sys.argv[1], sys.argv[2]
EMBEDDING = sys.argv[3] if len(sys.argv) > 3 else None
KEY = "unused"
QUESTION = [{"role": "user", "content": "Name two colours."}]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "enum": ["Bern", "Oslo"]}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
SCHEMA = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "green"]}},
    "required": ["colour"],
    "additionalProperties": False,
}
failed = []


def check(client, name, call):
    try:
        call()
        print(f"{client:18} {name:34} ok", flush=True)
    except Exception as error:
        failed.append(name)
        text = " ".join(str(error).split())
        print(f"{client:18} {name:34} FAILED {type(error).__name__}: {text[:300]}", flush=True)


def with_openai():
    import openai

    client = openai.OpenAI(base_url=BASE, api_key=KEY, max_retries=0, timeout=600)
    who = f"openai {version('openai')}"
    chat = client.chat.completions

    def models():
        assert MODEL in [model.id for model in client.models.list()]
        client.models.retrieve(MODEL)

    def plain():
        answer = chat.create(model=MODEL, messages=QUESTION, max_tokens=8)
        assert isinstance(answer.choices[0].message.content, str) and answer.usage.completion_tokens

    def stream():
        options = {"include_usage": True}
        chunks = list(chat.create(model=MODEL, messages=QUESTION, max_tokens=8, stream=True, stream_options=options))
        assert chunks[-1].usage and any(c.choices and c.choices[0].delta.content for c in chunks)

    def helper():
        with chat.stream(model=MODEL, messages=QUESTION, max_tokens=8) as events:
            kinds = [event.type for event in events]
            assert "content.delta" in kinds
            events.get_final_completion()

    def choices():
        answer = chat.create(model=MODEL, messages=QUESTION, max_tokens=4, n=3, seed=1, stop=["\n\n"])
        assert len(answer.choices) == 3

    def log_probabilities():
        answer = chat.create(model=MODEL, messages=QUESTION, max_tokens=4, logprobs=True, top_logprobs=5)
        entries = answer.choices[0].logprobs.content
        assert all(len(entry.top_logprobs) == 5 for entry in entries)
        assert bytes(b for entry in entries for b in entry.bytes).decode() == answer.choices[0].message.content

    def parse():
        from typing import Literal

        from pydantic import BaseModel

        class Colour(BaseModel):
            colour: Literal["red", "green"]

        answer = chat.parse(model=MODEL, messages=QUESTION, response_format=Colour, max_tokens=60)
        assert answer.choices[0].message.parsed.colour in ("red", "green")

    def json_object():
        answer = chat.create(model=MODEL, messages=QUESTION, response_format={
            "type": "json_schema", "json_schema": {"name": "colour", "schema": SCHEMA, "strict": True}})
        assert json.loads(answer.choices[0].message.content)["colour"] in ("red", "green")

    def forced():
        choice = {"type": "function", "function": {"name": "get_weather"}}
        answer = chat.create(model=MODEL, messages=QUESTION, tools=[TOOL], tool_choice=choice, max_tokens=100)
        call = answer.choices[0].message.tool_calls[0]
        assert json.loads(call.function.arguments)["city"] in ("Bern", "Oslo")
        history = QUESTION + [answer.choices[0].message.model_dump(), {
            "role": "tool", "tool_call_id": call.id, "content": "Sunny, 20 degrees."}]
        chat.create(model=MODEL, messages=history, tools=[TOOL], max_tokens=8)

    def required_stream():
        with chat.stream(model=MODEL, messages=QUESTION, tools=[TOOL], tool_choice="required", max_tokens=100) as events:
            for _ in events:
                pass
            final = events.get_final_completion()
        assert final.choices[0].message.tool_calls[0].function.name == "get_weather"

    def completions():
        answer = client.completions.create(model=MODEL, prompt=["The sky is", "Grass is"], max_tokens=4, logprobs=2, echo=True)
        assert len(answer.choices) == 2 and answer.choices[0].text.startswith("The sky is")
        assert len(answer.choices[0].logprobs.tokens) == len(answer.choices[0].logprobs.text_offset)

    def too_long():
        try:
            chat.create(model=MODEL, messages=[{"role": "user", "content": "word " * 200_000}])
        except openai.BadRequestError as error:
            assert error.code == "context_length_exceeded" and error.param == "messages"
        else:
            raise AssertionError("no error")

    def responses():
        answer = client.responses.create(model=MODEL, input="Name two colours.", max_output_tokens=16)
        assert isinstance(answer.output_text, str)
        with client.responses.stream(model=MODEL, input="Name two colours.", max_output_tokens=16) as events:
            assert any(event.type == "response.output_text.delta" for event in events)
            assert events.get_final_response().status in ("completed", "incomplete")

    def embeddings():
        answer = client.embeddings.create(model=EMBEDDING, input=["one", "two"])
        assert len(answer.data) == 2 and len(answer.data[0].embedding) > 100
        client.embeddings.create(model=EMBEDDING, input="one", encoding_format="float")

    calls = [models, plain, stream, helper, choices, log_probabilities, parse, json_object, forced,
             required_stream, completions, too_long, responses]
    for call in calls + ([embeddings] if EMBEDDING else []):
        check(who, call.__name__, call)


def with_litellm():
    import litellm

    litellm.suppress_debug_info = True
    who = f"litellm {version('litellm')}"
    common = {"model": f"openai/{MODEL}", "api_base": BASE, "api_key": KEY, "max_tokens": 8}

    def plain():
        assert litellm.completion(messages=QUESTION, **common).choices[0].message.content is not None

    def stream():
        assert list(litellm.completion(messages=QUESTION, stream=True, **common))

    def tools():
        choice = {"type": "function", "function": {"name": "get_weather"}}
        answer = litellm.completion(messages=QUESTION, tools=[TOOL], tool_choice=choice, **{**common, "max_tokens": 100})
        assert answer.choices[0].message.tool_calls[0].function.name == "get_weather"

    def too_long():
        try:
            litellm.completion(messages=[{"role": "user", "content": "word " * 200_000}], **common)
        except litellm.ContextWindowExceededError:
            return
        raise AssertionError("no ContextWindowExceededError")

    def text():
        assert litellm.text_completion(prompt="The sky is", **{**common, "model": f"text-completion-openai/{MODEL}"})

    def embeddings():
        answer = litellm.embedding(model=f"openai/{EMBEDDING}", input=["one"], api_base=BASE, api_key=KEY)
        assert len(answer.data) == 1

    for call in [plain, stream, tools, too_long, text] + ([embeddings] if EMBEDDING else []):
        check(who, call.__name__, call)


def with_langchain():
    from langchain_core.messages import ToolMessage
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings
    from pydantic import BaseModel

    who = f"langchain-openai {version('langchain-openai')}"
    model = ChatOpenAI(model=MODEL, base_url=BASE, api_key=KEY, max_tokens=100, max_retries=0, timeout=600)

    @tool
    def get_weather(city: str) -> str:
        """The weather of a city."""
        return f"Sunny in {city}."

    class Colour(BaseModel):
        """A colour."""

        colour: str

    def invoke():
        assert isinstance(model.invoke("Name two colours.").content, str)

    def stream():
        assert list(model.stream("Name two colours."))

    def batch():
        assert len(model.batch(["one", "two"])) == 2

    def bind_tools():
        bound = model.bind_tools([get_weather], tool_choice="get_weather")
        answer = bound.invoke("What is the weather in Bern?")
        call = answer.tool_calls[0]
        assert call["name"] == "get_weather"
        history = [("user", "What is the weather in Bern?"), answer, ToolMessage("Sunny.", tool_call_id=call["id"])]
        model.bind_tools([get_weather]).invoke(history)

    def structured():
        for method in ("json_schema", "function_calling"):
            found = model.with_structured_output(Colour, method=method).invoke("Which colour is grass?")
            assert isinstance(found, Colour)

    def plain_completions():
        assert isinstance(OpenAI(model=MODEL, base_url=BASE, api_key=KEY, max_tokens=8).invoke("The sky is"), str)

    def responses():
        other = ChatOpenAI(model=MODEL, base_url=BASE, api_key=KEY, use_responses_api=True, max_tokens=16)
        assert other.invoke("Name two colours.").content is not None

    def embeddings():
        own = OpenAIEmbeddings(model=EMBEDDING, base_url=BASE, api_key=KEY, check_embedding_ctx_length=False)
        assert len(own.embed_documents(["one", "two"])) == 2

    calls = [invoke, stream, batch, bind_tools, structured, plain_completions, responses]
    for call in calls + ([embeddings] if EMBEDDING else []):
        check(who, call.__name__, call)


def with_instructor():
    from typing import Literal

    import instructor
    import openai
    from pydantic import BaseModel

    class Colour(BaseModel):
        colour: Literal["red", "green"]

    who = f"instructor {version('instructor')}"
    base = openai.OpenAI(base_url=BASE, api_key=KEY, max_retries=0)
    for mode in (instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA, instructor.Mode.JSON):
        def ask(mode=mode):
            client = instructor.from_openai(base, mode=mode)
            found = client.chat.completions.create(
                model=MODEL, messages=QUESTION, response_model=Colour, max_tokens=100,
                max_retries=3 if mode == instructor.Mode.JSON else 0)
            assert found.colour in ("red", "green")

        check(who, mode.name, ask)


def with_llm():
    who = f"llm {version('llm')}"

    def ask():
        code = (
            "from llm.default_plugins.openai_models import Chat\n"
            f"model = Chat({MODEL!r}, key={KEY!r}, model_name={MODEL!r}, api_base={BASE!r})\n"
            "response = model.prompt('Name two colours.', max_tokens=8)\n"
            "assert response.text()\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    check(who, "prompt", ask)


for client in (with_openai, with_litellm, with_langchain, with_instructor, with_llm):
    try:
        client()
    except ImportError as error:
        print(f"{client.__name__}: left out, {error}")
print("failed:", ", ".join(failed) if failed else "none")
sys.exit(bool(failed))
