// Runs the console's arithmetic on a scrape: prints what it reads and what it makes of it, one JSON line an event.
import { readFileSync } from "node:fs";
import { transformWithEsbuild } from "vite";

const [root] = process.argv.slice(2);
const file = `${root}/src/Console/src/traffic/metrics.ts`;
const { code } = await transformWithEsbuild(readFileSync(file, "utf8"), file, { sourcemap: false });
const { read, quantile, rateOf } = await import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`);

const scrape = (requests, failed, buckets) =>
  [
    "# TYPE ollamamax_requests_total counter",
    `ollamamax_requests_total{otel_scope_name="x",route="/api/chat",status="200"} ${requests} 1700000000000`,
    `ollamamax_requests_total{route="a \\"quoted\\" {one}",status="503"} ${failed}`,
    ...Object.entries(buckets).map(([limit, count]) => `gen_ai_server_time_to_first_token_seconds_bucket{gen_ai_request_model="demo",le="${limit}"} ${count}`),
    'gen_ai_server_time_to_first_token_seconds_sum{le="x"} 7',
  ].join("\n");

const before = read(scrape(10, 1, { 0.1: 5, 0.5: 8, "+Inf": 8 }), 100);
const after = read(scrape(30, 3, { 0.1: 5, 0.5: 18, "+Inf": 18 }), 110);
const restarted = read(scrape(4, 0, { 0.1: 2, 0.5: 2, "+Inf": 2 }), 120);
const say = (event, value) => console.log(JSON.stringify({ event, value }));
say("requests", after.requests);
say("errors", after.errors);
say("rate", rateOf(before.requests, after.requests, 10));
say("restarted", rateOf(after.requests, restarted.requests, 10));
// All ten of the interval lie evenly between 0.1 and 0.5 s.
say("p50", quantile(0.5, before.firstToken, after.firstToken));
say("p100", quantile(1, before.firstToken, after.firstToken));
say("nothing", quantile(0.5, after.firstToken, after.firstToken));
say("restarted p50", quantile(0.5, after.firstToken, restarted.firstToken));
