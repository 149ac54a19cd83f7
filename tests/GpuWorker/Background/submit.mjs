// Submits a job with the client library and prints what was answered. Arguments: folder of the built library, base URL, the submission's key.
import { pathToFileURL } from "node:url";

const [library, baseUrl, idempotencyKey] = process.argv.slice(2);
const { submitJob } = await import(pathToFileURL(`${library}/index.js`));
console.log(JSON.stringify(await submitJob({ baseUrl, idempotencyKey, body: { model: "demo", prompt: "hi" } })));
