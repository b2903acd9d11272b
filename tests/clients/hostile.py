"""Hostile clients against a running `dojo serve`, and a well-behaved one beside them; see README.md beside this file.

    python hostile.py [--port 8080] [--requests 10000] [--seconds 900] [--clients 24] [--model NAME] [--seed 1]

Asks 127.0.0.1 only, and ends by itself. Exits with 1 if the server ended, or the well-behaved client waited for more
than two seconds. The well-behaved client is a process of its own: making a bomb takes time too, and is nobody's wait.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import time
from collections import Counter

import hostile_mix

LONGEST = 2.0


def process_of(port):
    """The process that listens on a port, where the system tells."""
    try:
        lines = open("/proc/net/tcp").read().splitlines()[1:]
    except OSError:
        return None
    own = [line.split() for line in lines]
    inodes = {f"socket:[{of[9]}]" for of in own if of[1].endswith(f":{port:04X}") and of[3] == "0A"}
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            links = [os.readlink(f"/proc/{process}/fd/{link}") for link in os.listdir(f"/proc/{process}/fd")]
        except OSError:
            continue
        if inodes & set(links):
            return int(process)
    return None


def memory(process):
    """Megabytes that a process holds."""
    try:
        line = next(line for line in open(f"/proc/{process}/status") if line.startswith("VmRSS"))
    except (OSError, StopIteration):
        return None
    return int(line.split()[1]) // 1024


def processor_times(process):
    """Of each thread that generates: seconds on a processor, and seconds in which it waited for one."""
    times = {}
    try:
        for thread in os.listdir(f"/proc/{process}/task"):
            place = f"/proc/{process}/task/{thread}"
            if open(f"{place}/comm").read().startswith(("dojo-serve-gene", "dojo-generate")):
                ran, waited, _ = open(f"{place}/schedstat").read().split()
                times[thread] = (int(ran) / 1e9, int(waited) / 1e9)
    except (OSError, ValueError):
        pass
    return times


class Hostile:
    def __init__(self, options):
        self.options = options
        self.left = options.requests
        self.until = time.time() + options.seconds
        self.outcomes = {}
        # When each request began and ended, and its kind.
        self.times = []

    def over(self):
        return self.left <= 0 or time.time() > self.until

    async def run(self):
        await asyncio.gather(*(self.client() for _ in range(self.options.clients)))

    async def client(self):
        while not self.over():
            self.left -= 1
            kind, way, raw = hostile_mix.draw()
            began = time.time()
            try:
                outcome = await asyncio.wait_for(self.ask(way, raw), self.options.patience)
            except (asyncio.TimeoutError, TimeoutError):
                outcome = "left unanswered"
            except OSError as error:
                outcome = type(error).__name__
            self.times.append((began, time.time(), kind))
            self.outcomes.setdefault(f"{kind}, {way}", Counter())[outcome] += 1

    async def ask(self, way, raw):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.options.port)
        try:
            await self.send(way, raw, writer)
            line = await reader.readline()
            if way == "vanish":
                await asyncio.sleep(random.uniform(0, 2))
                return "went away"
            status = line.split()[1:2]
            await self.finish(reader)
            return status[0].decode("latin-1")[:3] if status else "closed"
        finally:
            writer.transport.abort()

    async def send(self, way, raw, writer):
        if way == "vanish" and random.random() < 0.5:
            writer.write(raw[: random.randrange(1, len(raw))] if random.random() < 0.3 else raw)
            await asyncio.sleep(random.uniform(0, 1))
            raise ConnectionAbortedError
        slow_from = {"slow head": 0, "slow body": raw.find(b"\r\n\r\n") + 4}.get(way, len(raw))
        writer.write(raw[:slow_from])
        await writer.drain()
        for byte in raw[slow_from:]:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.02)

    async def finish(self, reader):
        """Reads what comes until the server is silent for a moment."""
        try:
            while await asyncio.wait_for(reader.read(65536), 0.2):
                pass
        except (asyncio.TimeoutError, TimeoutError):
            pass


class WellBehaved:
    """Asks one short question after the other, and for the list of models."""

    def __init__(self, options, process=None):
        self.options, self.process = options, process
        self.waits, self.totals, self.looks, self.failures = [], [], [], Counter()
        # How long, for what, and when.
        self.worst = (0.0, "nothing", 0.0)
        # Of each wait that was too long: how long, and what the server's generating threads did in it.
        self.late = []

    async def run(self, over):
        while not over.is_set():
            await self.once()
            await asyncio.sleep(0.05)

    async def once(self):
        try:
            self.looks.append(await asyncio.wait_for(self.look(), 60))
            await asyncio.wait_for(self.question(), 120)
        except (OSError, asyncio.TimeoutError, TimeoutError, AssertionError) as error:
            self.failures[f"{type(error).__name__} {error}"[:80]] += 1
            await asyncio.sleep(0.2)

    async def look(self):
        began = time.time()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.options.port)
        writer.write(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200"), answer[:40]
        self.note(time.time() - began, "the list of models")
        return time.time() - began

    async def question(self):
        body = {"messages": [{"role": "user", "content": f"Name {random.randrange(1000)} things."}], "max_tokens": 8,
                "stream": True}
        if self.options.model:
            body["model"] = self.options.model
        began = last = time.time()
        before = processor_times(self.process)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.options.port)
        writer.write(hostile_mix.request(hostile_mix.CHAT, body, headers=["Connection: close"]))
        head = await reader.readline()
        assert b" 200 " in head, head[:40]
        while line := await reader.readline():
            if line.startswith(b"data: "):
                longest, last = time.time() - last, time.time()
                self.waits.append(longest)
                self.note(longest, "a token")
                before = self.tell_late(longest, before)
                if line.startswith(b"data: [DONE]"):
                    break
        else:
            raise AssertionError("the stream ended early")
        writer.close()
        self.totals.append(time.time() - began)

    def tell_late(self, waited, before):
        after = processor_times(self.process)
        if waited > LONGEST:
            ran, stood = (max((now[i] - before.get(thread, now)[i] for thread, now in after.items()), default=0) for i in (0, 1))
            self.late.append((waited, ran, stood))
        return after

    def note(self, waited, what):
        self.worst = max(self.worst, (waited, what, time.time()))


def behave_well(options, process, over, results):
    """The well-behaved client, in a process of its own."""
    client = WellBehaved(options, process)
    asyncio.run(client.run(over))
    results.put((client.waits, client.totals, client.looks, client.failures, client.worst, client.late))


def described(name, values):
    if not values:
        return f"{name}: none"
    values = sorted(values)
    at = lambda part: values[min(len(values) - 1, int(len(values) * part))]
    late = sum(value > LONGEST for value in values)
    return (f"{name}: {len(values)}, median {at(0.5):.2f} s, p95 {at(0.95):.2f} s, p99 {at(0.99):.2f} s, "
            f"longest {values[-1]:.2f} s, over {LONGEST:.0f} s {late}")


async def some(client, count):
    """A few questions with nobody beside, for as long as half a minute."""
    until = time.time() + 30
    for _ in range(count):
        if time.time() < until:
            await client.once()


async def watch(process, hostile, seen):
    while not hostile.over():
        seen.append(memory(process))
        if len(seen) % 60 == 0:
            print(f"{hostile.left} left, {seen[-1]} MB", flush=True)
        await asyncio.sleep(1)


def alone(options, count):
    client = WellBehaved(options)
    asyncio.run(some(client, count))
    return client


def main(options):
    process = process_of(options.port)
    print(f"process {process} on port {options.port}", flush=True)
    seen = [memory(process)]
    print(described("alone, waits for a token", alone(options, 5).waits), flush=True)
    over, results = multiprocessing.Event(), multiprocessing.Queue()
    beside = multiprocessing.Process(target=behave_well, args=(options, process, over, results))
    beside.start()
    # The machine is the server's: it isn't shared with those who make bombs.
    os.nice(10)
    hostile, began = Hostile(options), time.time()

    async def all_hostile():
        await asyncio.gather(hostile.run(), watch(process, hostile, seen))

    asyncio.run(all_hostile())
    took = time.time() - began
    over.set()
    waits, totals, looks, failures, worst, late = results.get(timeout=180)
    beside.join()
    after = alone(options, 3)
    seen.append(memory(process))
    total = sum((counts for counts in hostile.outcomes.values()), Counter())
    print(f"{sum(total.values())} hostile requests in {took:.0f} s, {options.clients} at a time")
    for kind in sorted(hostile.outcomes):
        print(f"  {kind:28}", json.dumps(dict(hostile.outcomes[kind].most_common())))
    print("by outcome:", json.dumps(dict(total.most_common())))
    print(described("beside them, waits for a token", waits))
    print(described("beside them, whole answers", totals))
    print(described("beside them, lists of models", looks))
    print(described("after them, waits for a token", after.waits))
    waited, what, ended = worst
    there = Counter(kind for began, done, kind in hostile.times if began < ended and done > ended - waited)
    names = ", ".join(f"{kind} x {count}" for kind, count in there.most_common(8))
    print(f"longest stall: {waited:.2f} s for {what}, beside {names or 'nobody'}")
    for waited, ran, stood in sorted(late, reverse=True)[:10]:
        print(f"  {waited:.2f} s, in which a generating thread ran {ran:.2f} s and waited {stood:.2f} s for a processor")
    print("failures of the well-behaved client:", json.dumps(dict(failures)) if failures else "none")
    known = [value for value in seen if value is not None]
    if known:
        places = {"start": known[0], "middle": known[len(known) // 2], "end": known[-1], "most": max(known)}
        print("memory in MB:", ", ".join(f"{name} {value}" for name, value in places.items()))
    lives = process is None or memory(process) is not None
    print("the server", "lives" if lives and after.totals else "HAS ENDED")
    return not (lives and after.totals and waited <= LONGEST and not failures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--patience", type=float, default=20, help="seconds that a hostile client waits")
    parser.add_argument("--model")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    random.seed(chosen.seed)
    raise SystemExit(main(chosen))
