import { ActionIcon, Badge, Card, Group, Menu, Progress, Stack, Text } from "@mantine/core";
import { IconDotsVertical } from "../ui/icons";
import { memo } from "react";
import { bytes, rate, seconds } from "../api/format";
import { type Device, type Worker } from "../api/types";
import { State } from "../ui/State";

interface WorkerCardProps {
  worker: Worker;
  onOrder: (id: string, path: string, method?: string) => void;
}

/** Drawn anew only where what it shows has changed: there may be hundreds. */
export const WorkerCard = memo(function WorkerCard({ worker, onOrder }: WorkerCardProps) {
  const { slots } = worker;
  const loaded = worker.models.filter((model) => model.loaded);
  return (
    <Card withBorder padding="sm" component="article" aria-label={worker.name}>
      <Stack gap="xs">
        <Group justify="space-between" wrap="nowrap">
          <div className="grow">
            <Text fw={600} truncate>{worker.name}</Text>
            <Text size="xs" c="dimmed" truncate>{[worker.site, worker.host].filter(Boolean).join(" · ")}</Text>
          </div>
          <State of={worker.state} />
          <Orders worker={worker} onOrder={onOrder} />
        </Group>
        <Meter name="Slots" used={slots.used} total={slots.total} text={`${slots.used} of ${slots.total}`} />
        {worker.devices.map((device) => <DeviceMeter key={device.index} device={device} memory={worker.memory} />)}
        <Group gap={6}>
          {loaded.length === 0 && <Text size="sm" c="dimmed">No model in memory</Text>}
          {loaded.map((model) => (
            <Badge key={model.digest} variant="default" tt="none">{model.name ?? model.digest.slice(7, 19)}{model.hangs ? " hangs" : ""}</Badge>
          ))}
        </Group>
        <Text size="xs" c="dimmed">
          {rate(worker.tokens_per_second)} tokens/s · heard {ageOf(worker)} · {worker.version}
          {worker.flags.length > 0 && ` · ${worker.flags.join(", ").replaceAll("_", " ")}`}
        </Text>
      </Stack>
    </Card>
  );
}, (before, after) => before.onOrder === after.onOrder && shown(before.worker) === shown(after.worker));

const shown = (worker: Worker): string => JSON.stringify([worker.name, worker.state, worker.slots, worker.devices, worker.memory.free, worker.models, worker.tokens_per_second, worker.flags, ageOf(worker)]);

function Orders({ worker, onOrder }: WorkerCardProps) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`What ${worker.name} is to do`}>
          <IconDotsVertical size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {worker.state === "draining"
          ? <Menu.Item onClick={() => onOrder(worker.id, "/undrain")}>Take jobs again</Menu.Item>
          : <Menu.Item onClick={() => onOrder(worker.id, "/drain")}>Drain: finish, and take nothing new</Menu.Item>}
        <Menu.Item color="red" onClick={() => confirm(`Shall ${worker.name} never come back under its identity?`) && onOrder(worker.id, "", "DELETE")}>Revoke</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function DeviceMeter({ device, memory }: { device: Device; memory: Worker["memory"] }) {
  const isOwn = device.vram_total > 0;
  const total = isOwn ? device.vram_total : memory.total;
  const used = total - (isOwn ? device.vram_free : memory.free);
  return <Meter name={device.name} used={used} total={total} text={`${bytes(used)} of ${bytes(total)}${isOwn ? " VRAM" : ""}`} />;
}

function Meter({ name, used, total, text }: { name: string; used: number; total: number; text: string }) {
  const share = total > 0 ? (100 * used) / total : 0;
  return (
    <div>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Text size="xs" truncate>{name}</Text>
        <Text size="xs" c="dimmed" className="nowrap">{text}</Text>
      </Group>
      <Progress value={share} size="sm" color={share > 90 ? "orange" : "indigo"} aria-label={`${name}: ${text}`} />
    </div>
  );
}

const ageOf = (worker: Worker): string => `${seconds(Math.max(1, Math.round(worker.heartbeat_age_seconds)))} ago`;
