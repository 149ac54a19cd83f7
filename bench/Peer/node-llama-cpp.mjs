// node-llama-cpp's JavaScript API, driven line by line over standard input: each line is a request, each line of output its answer.
// Usage: node node-llama-cpp.mjs MODEL THREADS gpu|cpu
//   {"op":"open","sequences":4,"contextSize":512,"batchSize":512}  a context for so many sequences of that size each
//   {"op":"run","prompts":["…"],"tokens":64,"sampling":"greedy"}   one answer for each prompt, all at once: when each token came, in ms
import { createInterface } from "node:readline";
import { getLlama, LlamaLogLevel } from "node-llama-cpp";

const [modelPath, threads, onGpu] = [process.argv[2], Number(process.argv[3]), process.argv[4] === "gpu"];
const say = (answer) => process.stdout.write(JSON.stringify(answer) + "\n");

// The prebuilt library of the checkout's own package, and nothing downloaded or compiled.
const llama = await getLlama({ gpu: onGpu ? "auto" : false, build: "never", maxThreads: threads, logLevel: LlamaLogLevel.error });
if (onGpu && !llama.gpu) {
  say({ error: "it finds no GPU, or the checkout has no @node-llama-cpp package for it" });
  process.exit();
}
const model = await llama.loadModel({ modelPath, gpuLayers: onGpu ? "max" : 0 });
let context;
let sequences = [];

async function open({ sequences: count, contextSize, batchSize }) {
  await context?.dispose();
  context = await model.createContext({ sequences: count, contextSize, batchSize, threads: { ideal: threads, min: threads } });
  sequences = Array.from({ length: count }, () => context.getSequence());
  return { batchSize: context.batchSize, threads: context.currentThreads };
}

function samplingOf(name, answer) {
  if (name === "greedy")
    return { temperature: 0 };
  // Ollama's defaults.
  return {
    temperature: 0.8, topK: 40, topP: 0.9, seed: 1,
    repeatPenalty: { penalty: 1.1, punishTokens: () => answer.slice(-64) },
  };
}

async function answer(sequence, prompt, tokens, sampling, start) {
  const stamps = [];
  const said = [];
  for await (const token of sequence.evaluate(model.tokenize(prompt), samplingOf(sampling, said))) {
    stamps.push(performance.now() - start);
    said.push(token);
    if (stamps.length >= tokens)
      break;
  }
  return stamps;
}

async function run({ prompts, tokens, sampling }) {
  for (const sequence of sequences)
    await sequence.clearHistory();
  const start = performance.now();
  return { stamps: await Promise.all(prompts.map((prompt, i) => answer(sequences[i], prompt, tokens, sampling, start))) };
}

say({ library: llama.llamaCppRelease, gpu: llama.gpu });
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  say(request.op === "open" ? await open(request) : await run(request));
}
await llama.dispose();
