// Follows a job with the client library and prints one JSON line per event.
// Arguments: folder of the built library, base URL, job id, tokens that are there already.
import { pathToFileURL } from "node:url";

const [library, baseUrl, id, after] = process.argv.slice(2);
const { followJob } = await import(pathToFileURL(`${library}/index.js`));
for await (const event of followJob({ baseUrl, id, after: Number(after) })) console.log(JSON.stringify(event));
process.exit(0);
