/** Answers of the edge, as /openapi.json has them; only what is shown. */

export interface CatalogueModel {
  name: string;
  size: number;
  digest: string;
  modified_at: string;
  details: { format: string; family: string; parameter_size: string; quantization_level: string };
  capabilities: string[];
}

export interface Status {
  edge: { id: string; pid: number; version: string };
  leader: { id: string; since: string; lease_expires: string | null } | null;
  epoch: number | null;
  workers: { alive: number; suspect: number; draining: number; gone: number };
  queues: { model: string | null; band: string; queue: string; messages: number }[];
  error?: string;
}

export interface WorkerModel {
  name: string | null;
  digest: string;
  loaded: boolean;
  hangs: boolean;
  bytes: number | null;
  tokens_per_second: number | null;
}

export interface Worker {
  id: string;
  name: string;
  host: string;
  pid: number;
  site: string | null;
  labels: Record<string, string>;
  state: "alive" | "suspect" | "draining" | "gone";
  /** People want it to take nothing new. */
  drain_requested: boolean;
  state_since: string | null;
  drained: boolean;
  slots: { used: number; total: number };
  models: WorkerModel[];
  devices: Device[];
  memory: { total: number; free: number };
  tokens_per_second: number | null;
  version: string;
  heartbeat_age_seconds: number;
  flags: string[];
}

export interface Device {
  index: number;
  name: string;
  backend: string;
  /** 0 where it uses the machine's memory. */
  vram_total: number;
  vram_free: number;
}

export interface Policy {
  min_replicas: number;
  max_replicas: number | null;
  labels: Record<string, string>;
  excluded_labels: Record<string, string[]>;
  preferred_labels: Record<string, string[]>;
  warm: boolean;
  pin: boolean;
  priority: number;
}

export interface ReplicatedModel {
  name: string;
  digest: string;
  size: number;
  policy: Policy | null;
  desired: number;
  actual: number;
  warm: number | null;
  in_progress: number;
  blocked_because: string | null;
  replicas: { worker_id: string; digest: string; state: string; bytes: number; error?: string }[];
}

export interface Transfer {
  id: string;
  model: string;
  kind: "pull" | "replica";
  state: string;
  completed: number;
  total: number;
  bytes_per_second: number;
  worker_id?: string;
  error?: string;
}

export type JobStatus = "queued" | "running" | "completed" | "failed" | "cancelled";

export const hasEnded = (job: JobItem): boolean => job.status !== "queued" && job.status !== "running";

export interface JobItem {
  id: string;
  status: JobStatus;
  model: string;
  created_at: string;
  error?: string;
  tenant?: string;
  strategy?: string;
}

export interface FailedAttempt {
  attempt: number;
  worker_id: string;
  outcome: string;
  reason: string;
  at: string;
  tokens: number;
}

export interface Job extends JobItem {
  started_at?: string;
  ended_at?: string;
  deadline: string;
  content_expires_at?: string;
  expires_at?: string;
  attempts: number;
  worker_id?: string;
  failed_attempts: FailedAttempt[];
  poison: boolean;
  interactive: boolean;
  request_id?: string;
  strategy_job_id?: string;
  branches?: { index: number; role: string; model: string; status: JobStatus; job_id?: string; error?: string }[];
  result?: { message?: { content?: string; thinking?: string }; response?: string };
}

export interface Batch {
  id: string;
  endpoint: string;
  status: string;
  input_file_id: string;
  output_file_id: string | null;
  error_file_id: string | null;
  created_at: number;
  completed_at: number | null;
  request_counts: { total: number; completed: number; failed: number };
  errors: { data: { code: string; message: string }[] } | null;
}

export interface Limits {
  requests_per_minute?: number;
  tokens_per_minute?: number;
  tokens_per_day?: number;
  tokens_per_month?: number;
  concurrent?: number;
}

export interface Key {
  id: string;
  key?: string;
  name: string;
  role: string;
  tenant: string;
  models?: string[];
  created_at: string;
  created_by: string;
  expires_at?: string;
  last_used_at?: string;
  limits: Limits;
}

export interface UsageItem {
  day: string;
  tenant: string;
  key: string;
  /** What the key, or the user of an issuer, was called last. */
  name?: string;
  model: string;
  requests: number;
  prompt_tokens: number;
  output_tokens: number;
}

export interface AuditItem {
  at: string;
  actor: string;
  /** What the issuer of the actor's token called them then. */
  actor_name?: string;
  credential?: string;
  tenant: string;
  action: string;
  subject?: string;
  from: string;
  status: number;
  request_id: string;
}
