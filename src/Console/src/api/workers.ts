import { auth, call, EdgeError, isDenial } from "./edge";
import { type Worker } from "./types";

export const listWorkers = async (signal?: AbortSignal): Promise<Worker[]> => (await call<{ workers: Worker[] }>("cluster/workers", { signal })).workers;

const names = new Map<string, string>();

/** The key that may not see the cluster; null: none is known. */
let denied: string | undefined | null = null;

/** A worker's name; the beginning of its id where it is gone, or the key may not see the cluster. */
export async function nameOfWorker(id: string): Promise<string> {
  const used = auth.key;
  if (!names.has(id) && used !== denied) {
    try {
      for (const worker of await listWorkers()) names.set(worker.id, worker.name);
      if (!names.has(id)) names.set(id, idOf(id));
    } catch (error) {
      if (isDenial(error)) denied = used;
      else if (!(error instanceof EdgeError)) throw error;
    }
  }
  return names.get(id) ?? idOf(id);
}

const idOf = (id: string): string => id.slice(0, 8);
