// Frameworks over the clients, unmodified. Arguments: which (langchain, ai-ollama, ai-openai), the edge's address, that of an edge with a key that is wrong
// as its fragment. Goes through what such a framework does and prints one JSON line for each step; "error" where one fails that must not. Ends with its standard input.
const [which, host, keyed] = process.argv.slice(2);
const print = (event, value) => console.log(JSON.stringify({ event, value }));
process.stdin.on("data", () => {}).on("end", () => process.exit(0));

const question = "What are you?";
const parameters = { type: "object", properties: { a: { type: "integer", minimum: 0, maximum: 9 } }, required: ["a"], additionalProperties: false };
const schema = { type: "object", properties: { animal: { type: "boolean" }, legs: { type: "integer", minimum: 0, maximum: 9 } }, required: ["animal", "legs"], additionalProperties: false };
const right = { origin: new URL(host).origin };
const wrong = { origin: new URL(keyed).origin, key: new URL(keyed).hash.slice(1) };
const headersOf = ({ key }) => (key ? { Authorization: `Bearer ${key}` } : undefined);
let parts = 0; // Of the stream that is aborted.

const langchain = async () => {
  const { ChatOllama, OllamaEmbeddings } = await import("@langchain/ollama");
  const { AIMessage, HumanMessage, ToolMessage } = await import("@langchain/core/messages");
  const model = (name = "demo", at = right, more = {}) =>
    new ChatOllama({ baseUrl: at.origin, headers: headersOf(at), model: name, temperature: 0, maxRetries: 0, ...more });
  return {
    // It lists the models, and would pull one that is not there.
    list: async () => (await model("demo:latest", right, { checkOrPullModel: true }).invoke(question)).content,
    whole: async () => (await model().invoke(question)).content,
    streamed: async () => {
      let all = "";
      for await (const part of await model().stream(question)) all += part.content;
      return all;
    },
    tools: async () => {
      const bound = model().bindTools([{ type: "function", function: { name: "add", description: "Adds five.", parameters } }]);
      const call = new AIMessage({ content: "", tool_calls: [{ id: "call_1", name: "add", args: { a: 4 } }] });
      const answer = await bound.invoke([new HumanMessage("What is 4 plus 5?"), call, new ToolMessage({ tool_call_id: "call_1", name: "add", content: "9" })]);
      return answer.usage_metadata.output_tokens;
    },
    schema: async () => model().withStructuredOutput(schema, { method: "jsonSchema" }).invoke("Is a cat an animal?"),
    embeddings: async () =>
      (await new OllamaEmbeddings({ baseUrl: right.origin, model: "demo" }).embedDocuments(["a cat", "a dog"])).map((vector) => vector.length),
    abort: async () => {
      const abort = new AbortController();
      for await (const _ of await model("endless").stream("Go on", { signal: abort.signal })) {
        parts++;
        abort.abort();
      }
    },
    wrong: async () => model("nope").invoke(question),
    key: async () => model("demo", wrong).invoke(question),
  };
};

const ai = async () => {
  const { Output, embedMany, generateText, jsonSchema, stepCountIs, streamText, tool } = await import("ai");
  const isOllama = which === "ai-ollama";
  const { createOllama } = isOllama ? await import("ollama-ai-provider-v2") : {};
  const { createOpenAI } = isOllama ? {} : await import("@ai-sdk/openai");
  const provider = (at = right) => isOllama
    ? createOllama({ baseURL: `${at.origin}/api`, headers: headersOf(at) })
    : createOpenAI({ baseURL: `${at.origin}/v1`, apiKey: at.key ?? "unused" });
  // Ollama's provider sends a temperature where Ollama's API has none, and passes its options on as they are.
  const greedy = isOllama ? { providerOptions: { ollama: { options: { temperature: 0 } } } } : { temperature: 0 };
  // OpenAI's provider speaks its Responses API unless it is told not to.
  const common = (name = "demo", at = right) => ({ model: provider(at)(name), maxRetries: 0, ...greedy });
  const add = tool({ description: "Adds five.", inputSchema: jsonSchema(parameters), execute: async ({ a }) => a + 5 });
  return {
    whole: async () => (await generateText({ ...common(), prompt: question })).text,
    streamed: async () => {
      let all = "";
      for await (const part of streamText({ ...common(), prompt: question }).textStream) all += part;
      return all;
    },
    completions: async () => (await generateText({ ...common(), model: isOllama ? provider()("demo") : provider().chat("demo"), prompt: question })).text,
    // Ollama's API has no way to ask for a call: there only what comes after one is seen.
    tools: async () => {
      if (!isOllama) {
        const { steps } = await generateText({ ...common(), prompt: "What is 4 plus 5?", tools: { add }, toolChoice: "required", maxOutputTokens: 100, stopWhen: stepCountIs(2) });
        return steps[0].toolResults[0].output - 4;
      }
      const messages = [
        { role: "user", content: "What is 4 plus 5?" },
        { role: "assistant", content: [{ type: "tool-call", toolCallId: "call_1", toolName: "add", input: { a: 4 } }] },
        { role: "tool", content: [{ type: "tool-result", toolCallId: "call_1", toolName: "add", output: { type: "text", value: "9" } }] },
      ];
      return (await generateText({ ...common(), messages, tools: { add } })).usage.outputTokens;
    },
    schema: async () => (await generateText({ ...common(), prompt: "Is a cat an animal?", output: Output.object({ schema: jsonSchema(schema) }) })).output,
    embeddings: async () =>
      (await embedMany({ model: provider().embeddingModel("demo"), values: ["a cat", "a dog"], maxRetries: 0 })).embeddings.map((vector) => vector.length),
    abort: async () => {
      const abort = new AbortController();
      for await (const part of streamText({ ...common("endless"), prompt: "Go on", abortSignal: abort.signal }).textStream) {
        parts++;
        abort.abort();
      }
    },
    wrong: async () => generateText({ ...common("nope"), prompt: question }),
    key: async () => generateText({ ...common("demo", wrong), prompt: question }),
  };
};

const steps = await (which === "langchain" ? langchain() : ai());
for (const [name, step] of Object.entries(steps)) {
  const mayFail = ["abort", "wrong", "key"].includes(name);
  try {
    print(name, { answer: await step() });
  } catch (error) {
    print(mayFail ? name : "error", { step: name, status: error.statusCode, message: error.message ?? String(error) });
  }
}
print("parts", { answer: parts });
print("end");
