import { ask, follow, forget, type Answer, type Ask } from "../api/answer";
import { call, EdgeError } from "../api/edge";
import { type Job } from "../api/types";

const LookEvery = 300;

/** Several answers to one question: a job whose branches go to different workers, each followed as a job of its own. */
export async function fanOut(question: Ask, updates: ((change: Partial<Answer>) => void)[], stop: AbortSignal): Promise<void> {
  const askedAt = performance.now();
  const { id } = await call<Job>("jobs", { body: { ...question, strategy: "n", n: updates.length } });
  const followed = new Map<number, Promise<void>>();
  while (!stop.aborted) {
    const job = await call<Job>(`jobs/${id}`);
    for (const branch of job.branches ?? []) {
      const update = updates[branch.index];
      if (!update || followed.has(branch.index)) continue;
      if (branch.job_id && (await isKnown(branch.job_id))) followed.set(branch.index, follow(branch.job_id, update, stop, askedAt));
      else if (branch.status === "failed") followed.set(branch.index, Promise.resolve(update({ state: "failed", error: branch.error ?? "it has failed" })));
    }
    if (followed.size === updates.length) break;
    if (job.status === "failed" || job.status === "cancelled") throw new Error(job.error ?? `the job was ${job.status}`);
    await new Promise((resolve) => setTimeout(resolve, LookEvery));
  }
  if (stop.aborted) await call(`jobs/${id}`, { method: "DELETE" });
  await Promise.all(followed.values());
  await forget(id);
}

/** A branch's job has its id before it is there. */
async function isKnown(id: string): Promise<boolean> {
  try {
    await call(`jobs/${id}`);
    return true;
  } catch (error) {
    if (error instanceof EdgeError && error.status === 404) return false;
    throw error;
  }
}

/** One answer, which is kept nowhere but on the page. */
export async function askOnce(question: Ask, update: (change: Partial<Answer>) => void, stop: AbortSignal): Promise<void> {
  let job: string | undefined;
  await ask(question, update, (id) => (job = id), stop);
  if (job) await forget(job);
}
