export { followJob, type FollowOptions, type JobEvent } from "./followJob.js";
export { JobText, type JobLine, type JobProgress } from "./jobText.js";
export { RefusedError } from "./refusedError.js";
export { submitJob, type SubmitOptions, type SubmittedJob } from "./submitJob.js";
