// The official JavaScript client, unmodified. Arguments: the edge's address, a call of the client, its request as JSON. A key is the address's fragment.
// Prints one JSON line per part of the answer, then "end"; or "error". A line on standard input aborts the stream.
import { Ollama } from "ollama";

const [host, call, request] = process.argv.slice(2);
const print = (event, value) => console.log(JSON.stringify({ event, value }));
const key = new URL(host).hash.slice(1);
const client = new Ollama(key === "" ? { host } : { host: new URL(host).origin, headers: { Authorization: `Bearer ${key}` } });
process.stdin.on("data", () => client.abort()).on("end", () => process.exit(0));

try {
  const options = request === undefined ? undefined : JSON.parse(request);
  const answer = await client[call](options);
  if (options?.stream) {
    for await (const part of answer) print("part", part);
  } else {
    print("answer", answer);
  }
  print("end");
} catch (error) {
  print("error", { name: error.name, message: error.message, status: error.status_code });
}
