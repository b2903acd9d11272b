"""What hostile clients send: each kind makes another request every time, so that no cache answers it."""

import json
import random
import string

CHAT, PLAIN, EMBED, RESPONSES = "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"
QUESTION = [{"role": "user", "content": "Say hi."}]
WRONG = [None, True, -1, 0, 1.5, 1e39, 10**30, "", "x", "\u0000\u001b[31m", [], [[]], [None], {}, {"a": {}}, "9" * 400]
FIELDS = {
    CHAT: ["model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "min_p", "n",
           "stream", "stream_options", "stop", "seed", "logprobs", "top_logprobs", "logit_bias", "response_format",
           "tools", "tool_choice", "parallel_tool_calls", "user", "metadata", "store", "modalities", "audio",
           "prediction", "reasoning_effort", "service_tier", "verbosity", "web_search_options", "functions",
           "function_call", "frequency_penalty", "presence_penalty", "repetition_penalty", "guided_json",
           "guided_regex", "guided_choice", "guided_grammar", "chat_template_kwargs", "ignore_eos"],
    PLAIN: ["model", "prompt", "max_tokens", "temperature", "top_p", "n", "best_of", "stream", "logprobs", "echo",
            "stop", "suffix", "seed", "logit_bias", "user", "stream_options"],
    EMBED: ["model", "input", "encoding_format", "dimensions", "user", "truncate"],
    RESPONSES: ["model", "input", "instructions", "max_output_tokens", "temperature", "top_p", "stream", "text",
                "tools", "tool_choice", "reasoning", "store", "include", "truncation", "metadata", "background",
                "previous_response_id", "conversation", "prompt", "top_logprobs", "parallel_tool_calls"],
}


def word(length=6):
    return "".join(random.choices(string.ascii_lowercase, k=length))


def chat(**more):
    return {"messages": QUESTION, "max_tokens": 4, **more}


def usual_of(path):
    return {CHAT: chat(), PLAIN: {"prompt": "Hi", "max_tokens": 4}, EMBED: {"input": "Hi"},
            RESPONSES: {"input": "Hi", "max_output_tokens": 4}}[path]


def request(path, body, method="POST", headers=()):
    """The bytes of a request; a body that isn't bytes is sent as JSON."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json",
             f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def reference_chain():
    count, name = random.choice([90, 400, 700, 1500]), word()
    definitions = {f"{name}{i}": {"$ref": f"#/$defs/{name}{i + 1}"} for i in range(count)}
    schema = {"$ref": f"#/$defs/{name}0", "$defs": {**definitions, f"{name}{count}": {"type": "integer"}}}
    return request(CHAT, chat(guided_json=schema))


def ladder_of_rules():
    count, name = random.choice([90, 400, 730, 1500]), word(3)
    rules = "".join(f"{name}{i}: {name}{i + 1} | \"a{i}\"\n" for i in range(count))
    return request(CHAT, chat(guided_grammar=f"start: {name}0\n{rules}{name}{count}: \"end\"\n"))


def many_choices():
    name = word()
    choices = [f"{name} {i}" for i in range(random.choice([100, 3000, 9000, 15_000]))]
    return request(CHAT, chat(guided_choice=choices, n=64, max_tokens=random.choice([1, 8])))


def wide_schema():
    name = word()
    kind = random.randrange(6)
    if kind == 0:
        schema = {"enum": [f"{name}{i}" for i in range(4000)]}
    elif kind == 1:
        schema = {"type": "array", "items": {"type": "string"}, "minItems": 10**6}
    elif kind == 2:
        schema = {"type": "string", "pattern": f"^({name}|a{{1,400}}b?){{1,400}}$"}
    elif kind == 3:
        schema = {"type": "object", "properties": {f"{name}{i}": {"type": "number"} for i in range(1500)},
                  "required": [f"{name}{i}" for i in range(1500)]}
    elif kind == 4:
        schema = {"const": name}
        for _ in range(6):
            schema = {"anyOf": [schema, {"allOf": [schema, schema]}]}
    else:
        schema = {"type": "string", "minLength": 10**6, "maxLength": 10**9, "description": name}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    return request(CHAT, chat(response_format=form, max_tokens=64, n=random.choice([1, 16])))


def expression():
    name = word(4)
    patterns = [f"({name}|a{{1,900}}){{1,900}}", f"({name}*)*b", "(" * 200 + name + ")" * 200, f"[^{name}]{{100000}}",
                f"{name}.*.*.*.*.*.*.*x{{500}}", "(?=a)" + name]
    return request(CHAT, chat(guided_regex=random.choice(patterns), max_tokens=32))


def deep_json():
    depth, open_, close = random.choice([(100, "[", "]"), (100_000, "[", "]"), (20_000, '{"a":', "}")])
    nested = open_ * depth + ("1" if open_ != "[" else "") + close * depth
    field = random.choice(["messages", "metadata", "guided_json", "tools", "chat_template_kwargs"])
    return request(CHAT, ('{"messages":[{"role":"user","content":"x"}],"max_tokens":1,"%s":%s}' % (field, nested)).encode())


def giant_body():
    kind = random.randrange(4)
    if kind == 0:
        return request(CHAT, b'{"messages":"' + b"x" * 5_000_000 + b'"}')
    if kind == 1:
        return request(CHAT, chat(messages=[{"role": "user", "content": (word() + " ") * 500_000}]))
    if kind == 2:
        return request(CHAT, chat(messages=[{"role": "user", "content": random.choice("ab€\u0001") * 1_000_000}]))
    return request(CHAT, b'{"messages":[' + b"0," * 1_900_000 + b"0]}")


def lying_length():
    head = f"POST {CHAT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
    return head.encode() + random.choice([b"10000000000", b"-1", b"1e9", b"99999999999999999999999", b"5000"]) + b"\r\n\r\n{}"


def endless_chunks():
    head = f"POST {CHAT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head.encode() + b"10000\r\n" + b"x" * 0x10000 + b"\r\n" + random.choice([b"", b"zz\r\n", b"0\r\n\r\n"])


def garbage():
    kinds = [random.randbytes(random.randrange(1, 4000)), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + random.randbytes(500),
             b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + random.randbytes(60), b"\r\n" * 500, b"GET " + b"/" * 100_000,
             b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 1000]
    return random.choice(kinds)


def wrong_types():
    path = random.choice(list(FIELDS))
    body = usual_of(path)
    for field in random.sample(FIELDS[path], random.choice([1, 1, 2])):
        body[field] = random.choice(WRONG)
    return request(path, body)


def wrong_numbers():
    text = random.choice(["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "0x10", "01", "1e-400", "18446744073709551616"])
    path = random.choice([CHAT, PLAIN, RESPONSES])
    field = random.choice(["temperature", "top_p", "n", "seed", "max_tokens", "top_k"])
    return request(path, json.dumps(usual_of(path))[:-1].encode() + f', "{field}": {text}}}'.encode())


def bad_text():
    body = json.dumps(chat()).encode().replace(b"Say hi.", random.choice([b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800", b"\\u0000"]))
    return request(CHAT, body)


def huge_answers():
    body = chat(max_tokens=random.choice([-1, 8000, 10**9]), ignore_eos=True, n=random.choice([1, 1, 4, 64]))
    return request(CHAT, {**body, "stream": random.random() < 0.5, "temperature": 1})


def many_numbers():
    return request(CHAT, chat(n=64, logprobs=True, top_logprobs=20, max_tokens=32, stream=random.random() < 0.5))


def long_prompt():
    return request(CHAT, chat(messages=[{"role": "user", "content": (word(4) + " ") * random.choice([500, 2000, 3500])}]))


def long_lists():
    body = random.choice([
        (PLAIN, {"prompt": [f"{word()} {i}" for i in range(256)], "max_tokens": 2, "n": random.choice([1, 64])}),
        (PLAIN, {"prompt": [[random.randrange(1, 30_000)] for _ in range(2048)], "max_tokens": 1}),
        (PLAIN, {"prompt": word() + " a" * 3000, "max_tokens": 0, "echo": True, "logprobs": 5}),
        (EMBED, {"input": [f"{word()} {i}" for i in range(2048)]}),
        (EMBED, {"input": [(word() + " ") * 5000] * 8, "truncate": True}),
        (CHAT, chat(stop=[word() for _ in range(10_000)])),
        (CHAT, chat(logit_bias={str(i): 1 for i in range(5000)})),
        (CHAT, chat(messages=QUESTION * 3000)),
    ])
    return request(*body)


def many_tools():
    parameters = {"type": "object", "properties": {f"{word()}{i}": {"enum": [word(), i]} for i in range(20)}}
    tools = [{"type": "function", "function": {"name": f"{word()}{i}", "parameters": parameters}}
             for i in range(random.choice([5, 128, 1000]))]
    return request(CHAT, chat(tools=tools, tool_choice=random.choice(["auto", "required"]), max_tokens=16))


def doubled_headers():
    kinds = [["Content-Length: 3"], ["Host: evil.example"], ["Transfer-Encoding: chunked"], ["Content-Type: text/plain"],
             ["Authorization: Bearer a", "Authorization: Bearer b"], ["Expect: 100-continue"], [f"X-{i}: y" for i in range(300)],
             ["X-Long: " + "y" * 100_000], ["Connection: upgrade", "Upgrade: h2c"], ["Content-Encoding: gzip"]]
    return request(CHAT, chat(), headers=random.choice(kinds))


def foreign():
    own = request(random.choice(["/v1/models", "/metrics", "/health"]), b"", method=random.choice(["GET", "OPTIONS", "HEAD"]))
    return random.choice([own.replace(b"127.0.0.1", b"evil.example"),
                          own.replace(b"\r\n\r\n", b"\r\nOrigin: https://evil.example\r\n\r\n", 1)])


def odd_paths():
    path = random.choice(["/", "/v1", "/v1/models/%ff", "/v1/models/..%2f..", "/v1/models/" + "a" * 5000, "//", "/%00", "*"])
    return request(path, b"", method=random.choice(["GET", "POST", "DELETE", "PUT", "TRACE", "PATCH"]))


def honest():
    return request(CHAT, chat(messages=[{"role": "user", "content": f"Say {word()}."}]))


def pipelined():
    return b"".join(random.choice([honest, wrong_types, foreign])() for _ in range(20))


# How each is sent: whole and answered, byte by byte, or by a client that goes away.
MIX = [
    (reference_chain, "whole", 3), (ladder_of_rules, "whole", 3), (many_choices, "whole", 3), (wide_schema, "whole", 4),
    (expression, "whole", 4), (deep_json, "whole", 4), (giant_body, "whole", 4), (lying_length, "whole", 2),
    (endless_chunks, "whole", 2), (garbage, "whole", 8), (wrong_types, "whole", 20), (wrong_numbers, "whole", 6),
    (bad_text, "whole", 4), (huge_answers, "vanish", 4), (many_numbers, "whole", 1), (long_prompt, "vanish", 2),
    (long_lists, "whole", 2), (many_tools, "whole", 2), (doubled_headers, "whole", 6), (foreign, "whole", 6),
    (odd_paths, "whole", 5), (honest, "whole", 4), (honest, "slow head", 2), (honest, "slow body", 2),
    (honest, "vanish", 3), (pipelined, "whole", 2),
]


def draw():
    """A kind's name, how it is sent, and its bytes."""
    make, way, _ = random.choices(MIX, [weight for _, _, weight in MIX])[0]
    return make.__name__, way, make()
