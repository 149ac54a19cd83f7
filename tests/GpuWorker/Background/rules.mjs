// The attempt and index rules of the client library, on messages as SignalR may bring them. Reads one JSON array of messages from standard input
// and prints what each came to. Argument: folder of the built library.
import { pathToFileURL } from "node:url";

const { JobText } = await import(pathToFileURL(`${process.argv[2]}/index.js`));
let input = "";
for await (const part of process.stdin) input += part;
const text = new JobText();
console.log(JSON.stringify(JSON.parse(input).map((message) => text.push(message))));
