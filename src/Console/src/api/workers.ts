import { call, EdgeError } from "./edge";
import { type Worker } from "./types";

const names = new Map<string, string>();

/** A worker's name; the beginning of its id where it is gone, or the key may not see the cluster. */
export async function nameOfWorker(id: string): Promise<string> {
  if (!names.has(id)) {
    try {
      const { workers } = await call<{ workers: Worker[] }>("cluster/workers");
      for (const worker of workers) names.set(worker.id, worker.name);
    } catch (error) {
      if (!(error instanceof EdgeError)) throw error;
    }
    if (!names.has(id)) names.set(id, id.slice(0, 8));
  }
  return names.get(id)!;
}
