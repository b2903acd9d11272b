// Every usual call of npm's openai against a running `dojo serve`; see README.md beside this file.
//
//     node check.mjs http://127.0.0.1:8080/v1 MODEL [EMBEDDING_MODEL]

import OpenAI from 'openai';
import { VERSION as version } from 'openai/version';

const [base, model, embedding] = process.argv.slice(2);
const client = new OpenAI({ baseURL: base, apiKey: 'unused', maxRetries: 0, timeout: 600_000 });
const chat = client.chat.completions;
const messages = [{ role: 'user', content: 'Name two colours.' }];
const usual = { model, messages, max_tokens: 8 };
const parameters = {
  type: 'object',
  properties: { city: { type: 'string', enum: ['Bern', 'Oslo'] } },
  required: ['city'],
  additionalProperties: false,
};
const tool = { type: 'function', function: { name: 'get_weather', description: 'The weather.', parameters } };
const flatTool = { type: 'function', name: 'get_weather', parameters };
const schema = {
  type: 'object',
  properties: { colour: { enum: ['red', 'green'] } },
  required: ['colour'],
  additionalProperties: false,
};
const response_format = { type: 'json_schema', json_schema: { name: 'colour', strict: true, schema } };
const kinds = {};

async function check(kind, name, call) {
  const own = (kinds[kind] ??= { held: 0, made: 0 });
  own.made += 1;
  const who = `openai (npm) ${version}`.padEnd(26);
  try {
    await call();
    own.held += 1;
    console.log(`${who} ${kind.padEnd(12)} ${name.padEnd(26)} ok`);
  } catch (error) {
    console.log(`${who} ${kind.padEnd(12)} ${name.padEnd(26)} FAILED ${String(error).slice(0, 300)}`);
  }
}

function assert(condition, what = 'not as expected') {
  if (!condition) throw new Error(what);
}

async function refused(call, status, code) {
  const error = await call().then(() => null, (found) => found);
  assert(error?.status === status && (!code || error.code === code), `${error?.status} ${error?.code}`);
}

await check('models', 'list', async () => {
  const found = [];
  for await (const own of client.models.list()) found.push(own.id);
  assert(found.includes(model));
});
await check('models', 'retrieve', async () => assert((await client.models.retrieve(model)).id === model));

await check('chat', 'plain', async () => {
  const answer = await chat.create(usual);
  assert(typeof answer.choices[0].message.content === 'string' && answer.usage.completion_tokens > 0);
});
await check('chat', 'choices', async () => assert((await chat.create({ ...usual, n: 3, seed: 1 })).choices.length === 3));
await check('chat', 'log-probabilities', async () => {
  const answer = await chat.create({ ...usual, logprobs: true, top_logprobs: 5 });
  assert(answer.choices[0].logprobs.content.every((entry) => entry.top_logprobs.length === 5));
});

await check('stream', 'plain', async () => {
  let pieces = 0;
  for await (const chunk of await chat.create({ ...usual, stream: true })) pieces += chunk.choices.length;
  assert(pieces > 1);
});
await check('stream', 'helper', async () => {
  const stream = chat.stream({ ...usual, max_tokens: 400, stream_options: { include_usage: true } });
  assert(typeof (await stream.finalContent()) === 'string' && (await stream.totalUsage()).completion_tokens > 0);
});
await check('stream', 'left early', async () => {
  const stream = await chat.create({ ...usual, max_tokens: 200, stream: true });
  for await (const _ of stream) break;
  await chat.create(usual);
});

await check('tools', 'forced and answered', async () => {
  const tool_choice = { type: 'function', function: { name: 'get_weather' } };
  const answer = await chat.create({ ...usual, tools: [tool], tool_choice, max_tokens: 100 });
  const { message } = answer.choices[0];
  assert(['Bern', 'Oslo'].includes(JSON.parse(message.tool_calls[0].function.arguments).city));
  const turn = { role: 'tool', tool_call_id: message.tool_calls[0].id, content: 'Sunny.' };
  await chat.create({ ...usual, messages: [...messages, message, turn], tools: [tool] });
});
await check('tools', 'streamed', async () => {
  const stream = chat.stream({ ...usual, tools: [tool], tool_choice: 'required', max_tokens: 100 });
  const call = await stream.finalFunctionToolCall();
  assert(call.name === 'get_weather');
});
await check('tools', 'runTools', async () => {
  const called = [];
  const own = { name: 'get_weather', description: 'The weather of a city.', parameters, parse: JSON.parse };
  const runner = chat.runTools(
    {
      ...usual,
      max_tokens: 100,
      tool_choice: { type: 'function', function: { name: 'get_weather' } },
      tools: [{ type: 'function', function: { ...own, function: ({ city }) => { called.push(city); return 'Sunny.'; } } }],
    },
    { maxChatCompletions: 2 },
  );
  await runner.done().catch(() => {});
  assert(called.length > 0 && ['Bern', 'Oslo'].includes(called[0]));
});

await check('structured', 'parse', async () => {
  const answer = await chat.parse({ ...usual, response_format, max_tokens: 60 });
  assert(['red', 'green'].includes(answer.choices[0].message.parsed.colour));
});
await check('structured', 'json_object', async () => {
  await chat.create({ ...usual, response_format: { type: 'json_object' } });
});

await check('completions', 'plain', async () => {
  const answer = await client.completions.create({ model, prompt: 'The sky is', max_tokens: 4 });
  assert(typeof answer.choices[0].text === 'string');
});
await check('completions', 'several, streamed', async () => {
  const seen = new Set();
  const stream = await client.completions.create({ model, prompt: ['The sky is', 'Grass is'], max_tokens: 4, stream: true });
  for await (const chunk of stream) chunk.choices.forEach((choice) => seen.add(choice.index));
  assert(seen.size === 2);
});

if (embedding) {
  await check('embeddings', 'several', async () => {
    const answer = await client.embeddings.create({ model: embedding, input: ['one', 'two'] });
    assert(answer.data.length === 2 && answer.data[0].embedding.length > 100);
  });
  await check('embeddings', 'too long', () =>
    refused(() => client.embeddings.create({ model: embedding, input: 'word '.repeat(2000) }), 400, 'context_length_exceeded'));
}

await check('responses', 'plain', async () => {
  const answer = await client.responses.create({ model, input: 'Name two colours.', max_output_tokens: 16 });
  assert(typeof answer.output_text === 'string');
});
await check('responses', 'stream', async () => {
  const stream = client.responses.stream({ model, input: 'Name two colours.', max_output_tokens: 400 });
  assert(['completed', 'incomplete'].includes((await stream.finalResponse()).status));
});
await check('responses', 'parse', async () => {
  const text = { format: { type: 'json_schema', name: 'colour', strict: true, schema } };
  const answer = await client.responses.parse({ model, input: 'Name a colour.', text, max_output_tokens: 60 });
  assert(['red', 'green'].includes(answer.output_parsed.colour));
});
await check('responses', 'tools', async () => {
  const asked = { model, input: 'The weather?', tools: [flatTool], tool_choice: 'required', max_output_tokens: 100 };
  const call = (await client.responses.create(asked)).output.find((item) => item.type === 'function_call');
  assert(['Bern', 'Oslo'].includes(JSON.parse(call.arguments).city));
});

await check('errors', 'too long', () =>
  refused(() => chat.create({ ...usual, messages: [{ role: 'user', content: 'word '.repeat(200_000) }] }), 400, 'context_length_exceeded'));
await check('errors', 'wrong type', () => refused(() => chat.create({ ...usual, temperature: 'hot' }), 400));
await check('errors', 'unknown model', () => refused(() => chat.create({ ...usual, model: 'gpt-9' }), 404, 'model_not_found'));

const names = Object.keys(kinds);
const failed = names.reduce((sum, name) => sum + kinds[name].made - kinds[name].held, 0);
console.log(`\n| client | ${names.join(' | ')} |\n|${'---|'.repeat(names.length + 1)}`);
console.log(`| openai (npm) ${version} | ${names.map((name) => `${kinds[name].held} of ${kinds[name].made}`).join(' | ')} |`);
console.log(`failed: ${failed || 'none'}`);
process.exit(failed ? 1 : 0);
