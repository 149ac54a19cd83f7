// LangChain over Ollama's client, unmodified. Argument: the edge's address. Goes through what such a framework does and prints one JSON line for
// each step; "error" where one fails that must not. Ends with its standard input.
const [host] = process.argv.slice(2);
const print = (event, value) => console.log(JSON.stringify({ event, value }));
process.stdin.on("data", () => {}).on("end", () => process.exit(0));

const question = "What are you?";
const parameters = { type: "object", properties: { a: { type: "integer", minimum: 0, maximum: 9 } }, required: ["a"], additionalProperties: false };
const schema = { type: "object", properties: { animal: { type: "boolean" }, legs: { type: "integer", minimum: 0, maximum: 9 } }, required: ["animal", "legs"], additionalProperties: false };
const origin = new URL(host).origin;
let parts = 0; // Of the stream that is aborted.

const langchain = async () => {
  const { ChatOllama, Ollama, OllamaEmbeddings } = await import("@langchain/ollama");
  const { AIMessage, HumanMessage, ToolMessage } = await import("@langchain/core/messages");
  const model = (name = "demo") => new ChatOllama({ baseUrl: origin, model: name, temperature: 0, maxRetries: 0 });
  const text = async (stream) => {
    let all = "";
    for await (const part of stream) all += part.content;
    return all;
  };
  return {
    whole: async () => (await model().invoke(question)).content,
    streamed: async () => text(await model().stream(question)),
    tools: async () => {
      const bound = model().bindTools([{ type: "function", function: { name: "add", description: "Adds five.", parameters } }]);
      const call = new AIMessage({ content: "", tool_calls: [{ id: "call_1", name: "add", args: { a: 4 } }] });
      const answer = await bound.invoke([new HumanMessage("What is 4 plus 5?"), call, new ToolMessage({ tool_call_id: "call_1", name: "add", content: "9" })]);
      return answer.usage_metadata.output_tokens;
    },
    schema: async () => model().withStructuredOutput(schema, { method: "jsonSchema" }).invoke("Is a cat an animal?"),
    embeddings: async () => (await new OllamaEmbeddings({ baseUrl: origin, model: "demo" }).embedDocuments(["a cat", "a dog"])).map((vector) => vector.length),
    abort: async () => {
      const abort = new AbortController();
      for await (const _ of await new Ollama({ baseUrl: origin, model: "endless", maxRetries: 0 }).stream("Go on", { signal: abort.signal })) {
        parts++;
        abort.abort();
      }
    },
    wrong: async () => model("nope").invoke(question),
  };
};

const steps = await langchain();
for (const [name, step] of Object.entries(steps)) {
  const mayFail = name === "abort" || name === "wrong";
  try {
    print(name, { answer: await step() });
  } catch (error) {
    print(mayFail ? name : "error", { step: name, message: error.message ?? String(error) });
  }
}
print("parts", { answer: parts });
print("end");
