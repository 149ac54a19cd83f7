// The official JavaScript client, unmodified, one request after the other. Argument: the edge's address. Takes the body of a generate call a
// line on standard input; prints a JSON line per part of the answer, then "end" or "error".
import { createInterface } from "node:readline";
import { Ollama } from "ollama";

const client = new Ollama({ host: process.argv[2] });
const print = (event, value) => console.log(JSON.stringify({ event, value }));

for await (const line of createInterface({ input: process.stdin })) {
  try {
    for await (const part of await client.generate({ ...JSON.parse(line), stream: true })) print("part", part);
    print("end");
  } catch (error) {
    print("error", `${error.name}: ${error.message}`);
  }
}
