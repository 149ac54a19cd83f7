import { Button, Center, Group, SegmentedControl, Switch, Tabs, Text, UnstyledButton } from "@mantine/core";
import { useEffect, useState } from "react";
import { call } from "../api/edge";
import { time } from "../api/format";
import { type JobItem } from "../api/types";
import { useLive } from "../api/useLive";
import { ErrorNote, Page } from "../ui/Page";
import { Rows } from "../ui/Rows";
import { State } from "../ui/State";
import { Batches } from "./Batches";
import { JobDrawer } from "./JobDrawer";

const AtFirst = 100;
const More = 400;
/** As many as an edge lists in one answer. */
const MostAtOnce = 1000;
const Filters = ["all", "running", "queued", "completed", "failed", "poison", "cancelled"];

export default function JobsPage() {
  return (
    <Page title="Jobs and batches" about="What runs behind everybody's back, and what came of it">
      <Tabs defaultValue="jobs" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="jobs">Jobs</Tabs.Tab>
          <Tabs.Tab value="batches">Batches</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="jobs"><Jobs /></Tabs.Panel>
        <Tabs.Panel value="batches"><Batches /></Tabs.Panel>
      </Tabs>
    </Page>
  );
}

interface Listed {
  jobs: JobItem[];
  has_more: boolean;
}

/** The newest so many, in as many calls as it takes. */
async function list(query: string, count: number, signal: AbortSignal): Promise<Listed> {
  const jobs: JobItem[] = [];
  for (;;) {
    const before = jobs.length > 0 ? `&before=${jobs.at(-1)!.id}` : "";
    const page = await call<Listed>(`jobs?${query}&limit=${Math.min(MostAtOnce, count - jobs.length)}${before}`, { signal });
    jobs.push(...page.jobs);
    if (!page.has_more || jobs.length >= count) return { jobs, has_more: page.has_more };
  }
}

function Jobs() {
  const [filter, setFilter] = useState("all");
  const [isOfAll, setOfAll] = useState(false);
  const [openId, setOpenId] = useState<string>();
  const query = new URLSearchParams({ ...(filter === "all" ? {} : { status: filter }), ...(isOfAll ? { all: "true" } : {}) }).toString();
  const [count, setCount] = useState(AtFirst);
  const page = useLive((signal) => list(query, count, signal), 3000, query);
  const jobs = { ...page, data: page.data?.jobs };
  const { refresh } = page;
  useEffect(() => void (count > AtFirst && refresh()), [count, refresh]);
  return (
    <>
      <Group justify="space-between" mb="sm">
        <div className="scrolls">
          <SegmentedControl aria-label="Status" size="xs" data={Filters} value={filter} onChange={setFilter} />
        </div>
        <Switch size="sm" label="Of all tenants" checked={isOfAll} onChange={(event) => setOfAll(event.currentTarget.checked)} />
      </Group>
      <ErrorNote error={jobs.error} />
      <Rows
        live={jobs}
        minWidth={560}
        empty={`No ${filter === "all" ? "" : filter} jobs.`}
        keyOf={(job) => job.id}
        columns={[
          {
            title: "Job",
            cell: (job) => (
              <>
                <UnstyledButton className="mono link" onClick={() => setOpenId(job.id)}>{job.id}</UnstyledButton>
                {job.error && <Text size="xs" c="var(--mantine-color-error)" lineClamp={2}>{job.error}</Text>}
              </>
            ),
          },
          { title: "Status", cell: (job) => <State of={job.status} /> },
          { title: "Model", cell: (job) => `${job.model}${job.strategy ? ` (${job.strategy.replaceAll("_", " ")})` : ""}` },
          { title: "Submitted", className: "nowrap", cell: (job) => time(job.created_at) },
          ...(isOfAll ? [{ title: "Tenant", cell: (job: JobItem) => job.tenant }] : []),
        ]}
      />
      {page.data?.has_more && <Center mt="sm"><Button variant="default" onClick={() => setCount(page.data!.jobs.length + More)}>More</Button></Center>}
      {openId && <JobDrawer id={openId} onClose={() => (setOpenId(undefined), jobs.refresh())} />}
    </>
  );
}
