"""Many short questions beside long prompts, against any server of OpenAI's API; see README.md beside this file.

    python mixed.py http://127.0.0.1:8080/v1 MODEL [--short 48] [--long 16] [--words 2900] [--each 4]

Every client of a long prompt asks once, every other one asks short questions, one after the other, as long as there are
long prompts, and then until each has asked `--each`. Printed are times to the first token and the tokens a second.
"""

import argparse
import asyncio
import json
import random
import time
from urllib.parse import urlsplit

WORDS = "time house river paper green light stone water music north field small bread glass round young".split()


class Mixed:
    def __init__(self, options):
        self.options = options
        address = urlsplit(options.base)
        self.host, self.port, self.path = address.hostname, address.port, address.path.rstrip("/")
        self.first = {"short": [], "long": []}
        self.prompt = self.written = 0
        self.longs = options.long
        self.failed = []

    async def ask(self, kind, text, tokens):
        body = {"model": self.options.model, "messages": [{"role": "user", "content": text}], "max_tokens": tokens,
                "temperature": 0, "stream": True, "stream_options": {"include_usage": True}}
        body = json.dumps(body).encode()
        head = (f"POST {self.path}/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")
        began, first = time.time(), None
        reader, writer = await asyncio.open_connection(self.host, self.port)
        writer.write(head.encode() + body)
        status = await reader.readline()
        if b" 200 " not in status:
            self.failed.append(status[:60])
        while line := await reader.readline():
            if not line.startswith(b"data: {"):
                continue
            event = json.loads(line[6:])
            if first is None and any(choice["delta"].get("content") for choice in event.get("choices", [])):
                first = time.time() - began
                self.first[kind].append(first)
            if usage := event.get("usage"):
                self.prompt += usage["prompt_tokens"]
                self.written += usage["completion_tokens"]
        writer.close()

    async def long(self):
        await self.ask("long", "Sum this up: " + " ".join(random.choices(WORDS, k=self.options.words)), 16)
        self.longs -= 1

    async def short(self):
        asked = 0
        while asked < self.options.each or self.longs:
            await self.ask("short", f"Name {random.randrange(1000)} things.", 16)
            asked += 1

    async def run(self):
        clients = [self.long() for _ in range(self.options.long)] + [self.short() for _ in range(self.options.short)]
        began = time.time()
        await asyncio.gather(*clients)
        return time.time() - began


def described(values):
    values = sorted(values)
    at = lambda part: values[min(len(values) - 1, int(len(values) * part))]
    return f"{len(values)}, first token p50 {at(0.5):.2f} s, p95 {at(0.95):.2f} s, most {values[-1]:.2f} s"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base")
    parser.add_argument("model")
    for name, value in [("short", 48), ("long", 16), ("words", 2900), ("each", 4), ("seed", 1)]:
        parser.add_argument(f"--{name}", type=int, default=value)
    chosen = parser.parse_args()
    random.seed(chosen.seed)
    mixed = Mixed(chosen)
    took = asyncio.run(mixed.run())
    for kind, values in mixed.first.items():
        print(f"{kind}: {described(values)}" if values else f"{kind}: none")
    print(f"{mixed.prompt} tokens of prompts and {mixed.written} written in {took:.1f} s: "
          f"{mixed.prompt / took:.0f} + {mixed.written / took:.1f} tokens/s")
    print("failed:", mixed.failed or "none")
