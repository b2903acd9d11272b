"""Runs a reward function written for TRL as a command of Dojo: python3 trl_reward.py FILE.py FUNCTION

Reads one JSON object a line (id, prompts, completions, columns) and answers with one (id, rewards, log_extra,
log_metrics). What the function prints goes to standard error.
"""
import asyncio
import importlib.util
import inspect
import json
import math
import os
import sys

path, name = sys.argv[1:3]
answers, sys.stdout = sys.stdout, sys.stderr
sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
spec = importlib.util.spec_from_file_location("reward_functions", path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
function = getattr(module, name)
parameters = inspect.signature(function).parameters
takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
for line in sys.stdin:
    asked = json.loads(line)
    extra, metrics = {}, {}
    given = dict(asked["columns"], prompts=asked["prompts"], completions=asked["completions"],
                 log_extra=extra.__setitem__, log_metric=metrics.__setitem__)
    rewards = function(**{key: value for key, value in given.items() if takes_all or key in parameters})
    rewards = asyncio.run(rewards) if inspect.iscoroutine(rewards) else rewards
    rewards = [None if reward is None else float(reward) for reward in rewards]
    # JSON has no such numbers; Dojo reads their names.
    rewards = [str(reward) if reward is not None and not math.isfinite(reward) else reward for reward in rewards]
    told = {"id": asked["id"], "rewards": rewards, "log_extra": extra, "log_metrics": metrics}
    print(json.dumps(told, default=str), file=answers, flush=True)
