import { Group, SegmentedControl, Switch, Tabs, Text, UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { call } from "../api/edge";
import { time } from "../api/format";
import { type JobItem } from "../api/types";
import { useLive } from "../api/useLive";
import { ErrorNote, Page } from "../ui/Page";
import { Rows } from "../ui/Rows";
import { State } from "../ui/State";
import { Batches } from "./Batches";
import { JobDrawer } from "./JobDrawer";

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

function Jobs() {
  const [filter, setFilter] = useState("all");
  const [isOfAll, setOfAll] = useState(false);
  const [openId, setOpenId] = useState<string>();
  const query = new URLSearchParams({ ...(filter === "all" ? {} : { status: filter }), ...(isOfAll ? { all: "true" } : {}) }).toString();
  const jobs = useLive(async (signal) => (await call<{ jobs: JobItem[] }>(`jobs?${query}`, { signal })).jobs, 3000, query);
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
      {openId && <JobDrawer id={openId} onClose={() => (setOpenId(undefined), jobs.refresh())} />}
    </>
  );
}
