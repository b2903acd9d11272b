// Every usual call of npm's openai against a running `dojo serve`; see README.md beside this file.
//
//     node check.mjs http://127.0.0.1:8080/v1 MODEL

import OpenAI from 'openai';
import { createRequire } from 'node:module';

const [base, model] = process.argv.slice(2);
const { version } = createRequire(import.meta.url)('openai/package.json');
const client = new OpenAI({ baseURL: base, apiKey: 'unused', maxRetries: 0, timeout: 600_000 });
const messages = [{ role: 'user', content: 'Name two colours.' }];
const parameters = {
  type: 'object',
  properties: { city: { type: 'string', enum: ['Bern', 'Oslo'] } },
  required: ['city'],
  additionalProperties: false,
};
let failed = 0;

async function check(name, call) {
  try {
    await call();
    console.log(`openai (npm) ${version.padEnd(6)} ${name.padEnd(34)} ok`);
  } catch (error) {
    failed += 1;
    console.log(`openai (npm) ${version.padEnd(6)} ${name.padEnd(34)} FAILED ${String(error).slice(0, 300)}`);
  }
}

function assert(condition) {
  if (!condition) throw new Error('not as expected');
}

await check('models', async () => assert((await client.models.list()).data.some((own) => own.id === model)));
await check('plain', async () => {
  const answer = await client.chat.completions.create({ model, messages, max_tokens: 8 });
  assert(typeof answer.choices[0].message.content === 'string');
});
await check('stream', async () => {
  let pieces = 0;
  for await (const chunk of await client.chat.completions.create({ model, messages, max_tokens: 8, stream: true })) {
    pieces += chunk.choices.length;
  }
  assert(pieces > 1);
});
await check('schema', async () => {
  const schema = { type: 'object', properties: { colour: { enum: ['red', 'green'] } }, required: ['colour'], additionalProperties: false };
  const response_format = { type: 'json_schema', json_schema: { name: 'colour', strict: true, schema } };
  const answer = await client.chat.completions.parse({ model, messages, response_format });
  assert(['red', 'green'].includes(answer.choices[0].message.parsed?.colour ?? JSON.parse(answer.choices[0].message.content).colour));
});
await check('runTools', async () => {
  const called = [];
  const runner = client.chat.completions.runTools(
    {
      model,
      messages,
      max_tokens: 100,
      tool_choice: { type: 'function', function: { name: 'get_weather' } },
      tools: [{
        type: 'function',
        function: {
          name: 'get_weather',
          description: 'The weather of a city.',
          parameters,
          parse: JSON.parse,
          function: ({ city }) => { called.push(city); return `Sunny in ${city}.`; },
        },
      }],
    },
    { maxChatCompletions: 2 },
  );
  await runner.done().catch(() => {});
  assert(called.length > 0 && ['Bern', 'Oslo'].includes(called[0]));
});
await check('completions', async () => {
  const answer = await client.completions.create({ model, prompt: 'The sky is', max_tokens: 4 });
  assert(typeof answer.choices[0].text === 'string');
});
await check('responses', async () => {
  const answer = await client.responses.create({ model, input: 'Name two colours.', max_output_tokens: 16 });
  assert(typeof answer.output_text === 'string');
});
console.log(failed ? `failed: ${failed}` : 'failed: none');
process.exit(failed ? 1 : 0);
