"""instructor: its modes, and what else is usual with it."""

from importlib.metadata import version
from typing import Iterable, Literal

from common import BASE, KEY, MODEL, QUESTION, check

import instructor
import openai
from instructor import Mode
from pydantic import BaseModel

WHO = f"instructor {version('instructor')}"
base = openai.OpenAI(base_url=BASE, api_key=KEY, max_retries=0, timeout=600)


class Colour(BaseModel):
    colour: Literal["red", "green"]


def by_mode(mode):
    def ask():
        messages, more = QUESTION, {"max_retries": 0}
        if mode == Mode.JSON:
            # This mode asks for the keys in words only: it holds if the model does as it is told.
            messages = [{"role": "user", "content": "The apple is red. Say its colour."}]
            more = {"max_retries": 3, "temperature": 0}
        client = instructor.from_openai(base, mode=mode)
        found = client.chat.completions.create(
            model=MODEL, messages=messages, response_model=Colour, max_tokens=100, **more)
        assert found.colour in ("red", "green")

    ask.__name__ = mode.name
    return ask


def by_default():
    client = instructor.from_openai(base)
    found, answer = client.chat.completions.create_with_completion(
        model=MODEL, messages=QUESTION, response_model=Colour, max_tokens=100, max_retries=0)
    assert found.colour in ("red", "green") and answer.usage


def from_provider():
    client = instructor.from_provider(f"openai/{MODEL}", base_url=BASE, api_key=KEY)
    found = client.chat.completions.create(messages=QUESTION, response_model=Colour, max_tokens=100, max_retries=0)
    assert found.colour in ("red", "green")


def partial():
    client = instructor.from_openai(base)
    found = list(client.chat.completions.create_partial(
        model=MODEL, messages=QUESTION, response_model=Colour, max_tokens=100, max_retries=0))
    assert found[-1].colour in ("red", "green")


def several():
    client = instructor.from_openai(base)
    list(client.chat.completions.create_iterable(
        model=MODEL, messages=QUESTION, response_model=Colour, max_tokens=100, max_retries=0))


async def asynchronous():
    client = instructor.from_openai(openai.AsyncOpenAI(base_url=BASE, api_key=KEY, max_retries=0, timeout=600))
    found = await client.chat.completions.create(
        model=MODEL, messages=QUESTION, response_model=Colour, max_tokens=100, max_retries=0)
    assert found.colour in ("red", "green")


def run():
    for call in [by_default, by_mode(Mode.TOOLS), from_provider, asynchronous]:
        check(WHO, "tools", call.__name__, call)
    for call in [by_mode(Mode.JSON_SCHEMA), by_mode(Mode.JSON)]:
        check(WHO, "structured", call.__name__, call)
    for call in [partial, several]:
        check(WHO, "stream", call.__name__, call)
