"""openai-python: every usual call."""

import json
from importlib.metadata import version
from typing import Literal

from common import (
    BASE, CHOICE, EMBEDDING, FORMAT, KEY, LONG, MODEL, PARAMETERS, QUESTION, SCHEMA, TOOL, check, expect,
)

import openai
from pydantic import BaseModel

WHO = f"openai {version('openai')}"
client = openai.OpenAI(base_url=BASE, api_key=KEY, max_retries=0, timeout=600)
chat = client.chat.completions
FLAT_TOOL = {"type": "function", "name": "get_weather", "description": "The weather.", "parameters": PARAMETERS}


class Colour(BaseModel):
    colour: Literal["red", "green"]


def ask(**more):
    return chat.create(**{"model": MODEL, "messages": QUESTION, "max_tokens": 8, **more})


def models():
    def listed():
        assert MODEL in [model.id for model in client.models.list()]

    def retrieved():
        assert client.models.retrieve(MODEL).id == MODEL

    def unknown():
        assert expect(openai.NotFoundError, lambda: client.models.retrieve("gpt-9")).code == "model_not_found"

    return [listed, retrieved, unknown]


def chats():
    def plain():
        answer = ask()
        assert isinstance(answer.choices[0].message.content, str) and answer.usage.completion_tokens

    def roles_and_parts():
        parts = [{"type": "text", "text": "Name "}, {"type": "text", "text": "one."}]
        ask(messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": parts}])

    def choices():
        assert len(ask(n=3, seed=1, stop=["\n\n"]).choices) == 3

    def settings():
        ask(temperature=0.5, top_p=0.9, frequency_penalty=0.1, presence_penalty=0.1, logit_bias={"5": -1},
            user="somebody", stop=None, max_tokens=None, max_completion_tokens=4)

    def log_probabilities():
        answer = ask(logprobs=True, top_logprobs=5)
        entries = answer.choices[0].logprobs.content
        assert all(len(entry.top_logprobs) == 5 for entry in entries)
        assert bytes(b for entry in entries for b in entry.bytes).decode() == answer.choices[0].message.content

    def raw_response():
        answer = chat.with_raw_response.create(model=MODEL, messages=QUESTION, max_tokens=2)
        assert answer.status_code == 200 and answer.parse().choices

    async def asynchronous():
        async with openai.AsyncOpenAI(base_url=BASE, api_key=KEY, max_retries=0, timeout=600) as other:
            assert (await other.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=4)).choices

    return [plain, roles_and_parts, choices, settings, log_probabilities, raw_response, asynchronous]


def streams():
    def plain():
        chunks = list(ask(stream=True, stream_options={"include_usage": True}))
        assert chunks[-1].usage and any(c.choices and c.choices[0].delta.content for c in chunks)

    def helper():
        # The helper takes no answer that was cut off.
        with chat.stream(model=MODEL, messages=QUESTION, max_tokens=400) as events:
            assert "content.delta" in [event.type for event in events]
            assert events.get_final_completion().choices[0].message.content

    def choices():
        chunks = list(ask(stream=True, n=2))
        assert {c.index for chunk in chunks for c in chunk.choices} == {0, 1}

    def left_early():
        with ask(stream=True, max_tokens=200) as chunks:
            next(iter(chunks))
        ask()

    async def asynchronous():
        async with openai.AsyncOpenAI(base_url=BASE, api_key=KEY, max_retries=0, timeout=600) as other:
            chunks = await other.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=4, stream=True)
            assert [chunk async for chunk in chunks]

    return [plain, helper, choices, left_early, asynchronous]


def tools():
    def forced_and_answered():
        answer = ask(tools=[TOOL], tool_choice=CHOICE, max_tokens=100)
        call = answer.choices[0].message.tool_calls[0]
        assert answer.choices[0].finish_reason in ("tool_calls", "stop")
        assert json.loads(call.function.arguments)["city"] in ("Bern", "Oslo")
        history = QUESTION + [answer.choices[0].message.model_dump(), {
            "role": "tool", "tool_call_id": call.id, "content": "Sunny, 20 degrees."}]
        ask(messages=history, tools=[TOOL])

    def left_to_the_model():
        ask(tools=[TOOL], max_tokens=60)

    def forbidden():
        assert not ask(tools=[TOOL], tool_choice="none").choices[0].message.tool_calls

    def one_at_a_time():
        answer = ask(tools=[TOOL], tool_choice="required", parallel_tool_calls=False, max_tokens=100)
        assert len(answer.choices[0].message.tool_calls) == 1

    def required_stream():
        # One call: a small model that may make several goes on until its tokens are used up.
        asked = dict(tools=[TOOL], tool_choice="required", parallel_tool_calls=False, max_tokens=200)
        with chat.stream(model=MODEL, messages=QUESTION, **asked) as events:
            assert [event for event in events]
            final = events.get_final_completion()
        assert final.choices[0].message.tool_calls[0].function.name == "get_weather"

    def pydantic_tool():
        class GetWeather(BaseModel):
            city: Literal["Bern", "Oslo"]

        tool = openai.pydantic_function_tool(GetWeather)
        asked = dict(tools=[tool], tool_choice="required", parallel_tool_calls=False, max_tokens=200)
        answer = chat.parse(model=MODEL, messages=QUESTION, **asked)
        assert answer.choices[0].message.tool_calls[0].function.parsed_arguments.city in ("Bern", "Oslo")

    return [forced_and_answered, left_to_the_model, forbidden, one_at_a_time, required_stream, pydantic_tool]


def structured():
    def parse():
        answer = chat.parse(model=MODEL, messages=QUESTION, response_format=Colour, max_tokens=60)
        assert answer.choices[0].message.parsed.colour in ("red", "green")

    def parsed_stream():
        with chat.stream(model=MODEL, messages=QUESTION, response_format=Colour, max_tokens=60) as events:
            assert events.get_final_completion().choices[0].message.parsed.colour in ("red", "green")

    def schema():
        answer = ask(response_format=FORMAT, max_tokens=60)
        assert json.loads(answer.choices[0].message.content)["colour"] in ("red", "green")

    def json_object():
        text = ask(response_format={"type": "json_object"}, max_tokens=200, temperature=0).choices[0]
        assert text.finish_reason == "length" or isinstance(json.loads(text.message.content), dict)

    return [parse, parsed_stream, schema, json_object]


def completions():
    create = client.completions.create

    def plain():
        assert isinstance(create(model=MODEL, prompt="The sky is", max_tokens=4).choices[0].text, str)

    def scored_prompts():
        answer = create(model=MODEL, prompt=["The sky is", "Grass is"], max_tokens=4, logprobs=2, echo=True)
        assert len(answer.choices) == 2 and answer.choices[0].text.startswith("The sky is")
        assert len(answer.choices[0].logprobs.tokens) == len(answer.choices[0].logprobs.text_offset)

    def of_tokens():
        assert len(create(model=MODEL, prompt=[[40, 41], [42]], max_tokens=2, n=2).choices) == 4

    def streamed():
        assert list(create(model=MODEL, prompt="The sky is", max_tokens=4, stream=True))

    return [plain, scored_prompts, of_tokens, streamed]


def embeddings():
    create = client.embeddings.create

    def several():
        answer = create(model=EMBEDDING, input=["one", "two"])
        assert len(answer.data) == 2 and len(answer.data[0].embedding) > 100 and answer.usage.total_tokens

    def as_numbers():
        one = create(model=EMBEDDING, input="one", encoding_format="float").data[0].embedding
        packed = create(model=EMBEDDING, input="one", encoding_format="base64").data[0].embedding
        assert isinstance(packed, str) and len(one) > 100

    def of_tokens():
        assert len(create(model=EMBEDDING, input=[[7592, 2088], [2088]]).data) == 2

    def too_long():
        error = expect(openai.BadRequestError, lambda: create(model=EMBEDDING, input="word " * 2000))
        assert error.code == "context_length_exceeded"

    return [several, as_numbers, of_tokens, too_long] if EMBEDDING else []


def responses():
    create = client.responses.create

    def plain():
        answer = create(model=MODEL, input="Name two colours.", max_output_tokens=16, instructions="Be brief.")
        assert isinstance(answer.output_text, str) and answer.usage.output_tokens

    def of_turns():
        turns = [{"role": "user", "content": [{"type": "input_text", "text": "Hi."}]},
                 {"role": "assistant", "content": "Hello."}, {"role": "user", "content": "Bye."}]
        assert create(model=MODEL, input=turns, max_output_tokens=16, store=False).id

    def events():
        kinds = [event.type for event in create(model=MODEL, input="Hi.", max_output_tokens=16, stream=True)]
        assert kinds[0] == "response.created" and kinds[-1] in ("response.completed", "response.incomplete")

    def helper():
        with client.responses.stream(model=MODEL, input="Name two colours.", max_output_tokens=400) as told:
            assert any(event.type == "response.output_text.delta" for event in told)
            assert told.get_final_response().status == "completed"

    def parse():
        answer = client.responses.parse(model=MODEL, input="Name a colour.", text_format=Colour, max_output_tokens=60)
        assert answer.output_parsed.colour in ("red", "green")

    def tool_and_its_output():
        answer = create(model=MODEL, input="Weather?", tools=[FLAT_TOOL], tool_choice="required", max_output_tokens=100, parallel_tool_calls=False)
        call = next(item for item in answer.output if item.type == "function_call")
        assert json.loads(call.arguments)["city"] in ("Bern", "Oslo") and answer.tools[0].name == "get_weather"
        turns = [{"role": "user", "content": "Weather?"}, *[item.model_dump() for item in answer.output],
                 {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny."}]
        create(model=MODEL, input=turns, tools=[FLAT_TOOL], max_output_tokens=16)

    return [plain, of_turns, events, helper, parse, tool_and_its_output]


def errors():
    def too_long():
        error = expect(openai.BadRequestError, lambda: ask(messages=[{"role": "user", "content": LONG}]))
        assert error.code == "context_length_exceeded" and error.param == "messages"

    def wrong_type():
        assert expect(openai.BadRequestError, lambda: ask(temperature="hot")).param == "temperature"

    def unknown_model():
        assert expect(openai.NotFoundError, lambda: ask(model="gpt-9")).code == "model_not_found"

    def wrong_schema():
        wrong = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "no such type"}}}
        expect(openai.BadRequestError, lambda: ask(response_format=wrong))

    def unknown_field():
        expect(openai.BadRequestError, lambda: ask(extra_body={"colour": "red"}))

    def out_of_range():
        assert expect(openai.BadRequestError, lambda: ask(n=10_000)).param == "n"

    def streamed():
        expect(openai.BadRequestError, lambda: list(ask(stream=True, top_p=7)))

    return [too_long, wrong_type, unknown_model, wrong_schema, unknown_field, out_of_range, streamed]


def run():
    kinds = {"models": models, "chat": chats, "stream": streams, "tools": tools, "structured": structured,
             "completions": completions, "embeddings": embeddings, "responses": responses, "errors": errors}
    for kind, calls in kinds.items():
        for call in calls():
            check(WHO, kind, call.__name__, call)
