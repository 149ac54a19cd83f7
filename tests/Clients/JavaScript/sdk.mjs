// OpenAI's or Anthropic's official JavaScript client, unmodified. Arguments: which, the edge's address, a call of the client such as
// "chat.completions.create", its arguments as JSON. The key is the address's fragment. Prints one JSON line per part of a stream or list, or the answer, then "end"; or "error".
// A line on standard input aborts the stream.
const [which, host, call, ...values] = process.argv.slice(2);
const print = (event, value) => console.log(JSON.stringify({ event, value }));
const apiKey = new URL(host).hash.slice(1) || "unused";
let stream;
process.stdin.on("data", () => stream?.controller.abort()).on("end", () => process.exit(0));

const clients = {
  openai: async () => new (await import("openai")).default({ baseURL: new URL("/v1", host).href, apiKey }),
  anthropic: async () => new (await import("@anthropic-ai/sdk")).default({ baseURL: new URL(host).origin, apiKey }),
};

try {
  const names = call.split(".");
  const name = names.pop();
  const group = names.reduce((object, part) => object[part], await clients[which]());
  const answer = await group[name](...values.map((value) => JSON.parse(value)));
  // The helpers put a stream together again, and check it while they do.
  if (answer.finalChatCompletion) {
    print("answer", await answer.finalChatCompletion());
  } else if (answer.finalMessage) {
    print("answer", await answer.finalMessage());
  } else if (answer.finalResponse) {
    print("answer", await answer.finalResponse());
  } else if (Symbol.asyncIterator in answer) {
    stream = answer;
    for await (const part of answer) print("part", part);
  } else {
    print("answer", answer);
  }
  print("end");
} catch (error) {
  print("error", { name: error.constructor.name, message: error.message, status: error.status, code: error.code, type: error.type, requestId: error.requestID });
}
