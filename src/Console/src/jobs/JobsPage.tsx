import { Center, Group, Loader, SegmentedControl, Switch, Table, Tabs, Text, UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { call } from "../api/edge";
import { time } from "../api/format";
import { type JobItem } from "../api/types";
import { useLive } from "../api/useLive";
import { Empty, Page } from "../ui/Page";
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
      {jobs.error && <Text c="var(--mantine-color-error)" size="sm" role="alert">{jobs.error}</Text>}
      {jobs.isLoading && <Center h="30vh"><Loader aria-label="Loading" aria-busy /></Center>}
      {jobs.data?.length === 0 && <Empty>No {filter === "all" ? "" : filter} jobs.</Empty>}
      {jobs.data && jobs.data.length > 0 && (
        <Table.ScrollContainer minWidth={560}>
          <Table highlightOnHover verticalSpacing="xs">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Job</Table.Th>
                <Table.Th>Status</Table.Th>
                <Table.Th>Model</Table.Th>
                <Table.Th>Submitted</Table.Th>
                {isOfAll && <Table.Th>Tenant</Table.Th>}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {jobs.data.map((job) => (
                <Table.Tr key={job.id}>
                  <Table.Td>
                    <UnstyledButton className="mono link" onClick={() => setOpenId(job.id)}>{job.id}</UnstyledButton>
                    {job.error && <Text size="xs" c="var(--mantine-color-error)" lineClamp={2}>{job.error}</Text>}
                  </Table.Td>
                  <Table.Td><State of={job.status} /></Table.Td>
                  <Table.Td>{job.model}{job.strategy ? ` (${job.strategy.replaceAll("_", " ")})` : ""}</Table.Td>
                  <Table.Td className="nowrap">{time(job.created_at)}</Table.Td>
                  {isOfAll && <Table.Td>{job.tenant}</Table.Td>}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {openId && <JobDrawer id={openId} onClose={() => (setOpenId(undefined), jobs.refresh())} />}
    </>
  );
}
