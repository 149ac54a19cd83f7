import { ask, follow, forget, type Answer, type Ask } from "../api/answer";
import { call, EdgeError, messageOf } from "../api/edge";
import { hasEnded, type Job } from "../api/types";

const LookEvery = 300;

/**
 * Several answers to one question: a job whose branches go to different workers, each followed as a job of its own.
 * @param updates One for each answer. What goes wrong is told there, and each answer comes to an end.
 */
export async function fanOut(question: Ask, updates: ((change: Partial<Answer>) => void)[], stop: AbortSignal): Promise<void> {
  const askedAt = performance.now();
  const followed = new Map<number, Promise<void>>();
  let id: string | undefined;
  let job: Job | undefined;
  let error: string | undefined;
  try {
    ({ id } = await call<Job>("jobs", { body: { ...question, strategy: "n", n: updates.length } }));
    while (!stop.aborted) {
      job = await call<Job>(`jobs/${id}`);
      for (const branch of job.branches ?? []) {
        const update = updates[branch.index];
        if (!update || followed.has(branch.index)) continue;
        if (branch.job_id && (await isKnown(branch.job_id))) followed.set(branch.index, follow(branch.job_id, update, stop, { askedAt }));
        else if (branch.status === "failed") followed.set(branch.index, Promise.resolve(update({ state: "failed", error: branch.error ?? "it has failed" })));
      }
      if (followed.size === updates.length || hasEnded(job)) break;
      await new Promise((resolve) => setTimeout(resolve, LookEvery));
    }
    if (job && hasEnded(job)) error = job.error ?? `the job is ${job.status}, and this answer is not known any more`;
  } catch (failure) {
    error = messageOf(failure);
  } finally {
    for (const [index, update] of updates.entries()) if (!followed.has(index)) update(stop.aborted ? { state: "stopped" } : { state: "failed", error });
    // A job that has not ended is cancelled by the first of these, and forgotten by the second.
    if (id && followed.size < updates.length && !(job && hasEnded(job))) await forget(id);
    await Promise.all(followed.values());
    if (id && stop.aborted) await forget(id);
    if (id) await forget(id);
  }
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
