// Clients of the three APIs, unmodified, with a model that calls a tool by itself. Arguments: the edge's address, the model. Prints one JSON line for each client: the calls that it was
// given, and the text that came of their results. Ends with its standard input.
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { ChatOllama } from "@langchain/ollama";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import { Ollama } from "ollama";
import { createOllama } from "ollama-ai-provider-v2";
import OpenAI from "openai";

const [host, model] = process.argv.slice(2);
const print = (event, value) => console.log(JSON.stringify({ event, value }));
process.stdin.on("data", () => {}).on("end", () => process.exit(0));

const question = "What is 4 plus 5?";
const parameters = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] };
const definition = { type: "function", function: { name: "add", description: "Adds five.", parameters } };
const run = ({ a }) => a + 5;

async function ollama(stream) {
  const client = new Ollama({ host });
  const messages = [{ role: "user", content: question }];
  const ask = async () => {
    const answer = await client.chat({ model, messages, tools: [definition], stream });
    const whole = { role: "assistant", content: "", tool_calls: [] };
    for await (const { message } of stream ? answer : [answer]) {
      whole.content += message.content;
      whole.tool_calls.push(...(message.tool_calls ?? []));
    }
    return whole;
  };
  const first = await ask();
  messages.push(first, ...first.tool_calls.map((call) => ({ role: "tool", tool_name: call.function.name, content: `${run(call.function.arguments)}` })));
  const calls = first.tool_calls.map((call) => ({ name: call.function.name, ...call.function.arguments }));
  return { calls, text: first.content + (await ask()).content };
}

async function langchain(stream) {
  const bound = new ChatOllama({ baseUrl: new URL(host).origin, model, maxRetries: 0 }).bindTools([definition]);
  const messages = [new HumanMessage(question)];
  const ask = async () => {
    if (!stream) return bound.invoke(messages);
    let whole;
    for await (const part of await bound.stream(messages)) whole = whole === undefined ? part : whole.concat(part);
    return whole;
  };
  const first = await ask();
  messages.push(first, ...first.tool_calls.map((call) => new ToolMessage({ tool_call_id: call.id, name: call.name, content: `${run(call.args)}` })));
  return { calls: first.tool_calls.map((call) => ({ name: call.name, ...call.args })), text: first.content + (await ask()).content };
}

async function ai(stream) {
  const options = {
    model: createOllama({ baseURL: `${new URL(host).origin}/api` })(model),
    maxRetries: 0,
    prompt: question,
    tools: { add: tool({ description: "Adds five.", inputSchema: jsonSchema(parameters), execute: run }) },
    stopWhen: stepCountIs(3),
  };
  const result = await (stream ? streamText(options) : generateText(options));
  if (stream) await result.consumeStream();
  const steps = await result.steps;
  return { calls: steps.flatMap((step) => step.toolCalls).map((call) => ({ name: call.toolName, ...call.input })), text: await result.text };
}

async function openai(stream) {
  const calls = [];
  const client = new OpenAI({ baseURL: new URL("/v1", host).href, apiKey: "unused", maxRetries: 0 });
  const called = (input) => calls.push({ name: "add", ...input }) && `${run(input)}`;
  const add = { type: "function", function: { ...definition.function, parse: JSON.parse, function: called } };
  const text = await client.chat.completions.runTools({ model, stream, messages: [{ role: "user", content: question }], tools: [add] }).finalContent();
  return { calls, text };
}

// Its runner would have the server hold the conversation, and has to do without.
async function anthropic(stream) {
  const calls = [];
  const add = betaTool({ name: "add", description: "Adds five.", inputSchema: parameters, run: (input) => calls.push({ name: "add", ...input }) && `${run(input)}` });
  const client = new Anthropic({ baseURL: new URL(host).origin, apiKey: "unused", maxRetries: 0 });
  const last = await client.beta.messages.toolRunner({ model, stream, max_tokens: 100, messages: [{ role: "user", content: question }], tools: [add] }).runUntilDone();
  return { calls, text: last.content.map((block) => block.text ?? "").join("") };
}

for (const [name, client] of Object.entries({ ollama, langchain, ai, openai, anthropic })) {
  for (const stream of [false, true]) {
    try {
      print(stream ? `${name} streamed` : name, await client(stream));
    } catch (error) {
      print("error", { client: name, stream, message: error.message ?? String(error) });
    }
  }
}
print("end");
