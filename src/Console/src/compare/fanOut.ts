import { ask, follow, forget, type Answer, type Ask } from "../api/answer";
import { call } from "../api/edge";
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
      if (update && branch.job_id && !followed.has(branch.index)) followed.set(branch.index, follow(branch.job_id, update, stop, askedAt));
    }
    if (followed.size === updates.length) break;
    if (job.status === "failed" || job.status === "cancelled") throw new Error(job.error ?? `the job was ${job.status}`);
    await new Promise((resolve) => setTimeout(resolve, LookEvery));
  }
  if (stop.aborted) await call(`jobs/${id}`, { method: "DELETE" });
  await Promise.all(followed.values());
  await forget(id);
}

/** One answer, which is kept nowhere but on the page. */
export async function askOnce(question: Ask, update: (change: Partial<Answer>) => void, stop: AbortSignal): Promise<void> {
  let job: string | undefined;
  await ask(question, update, (id) => (job = id), stop);
  if (job) await forget(job);
}
