import { ActionIcon, Card, Menu } from "@mantine/core";
import { memo, useState } from "react";
import { bytes, rate, seconds, short } from "../api/format";
import { type Device, type Worker } from "../api/types";
import { IconDotsVertical } from "../ui/icons";
import { State } from "../ui/State";

interface WorkerCardProps {
  worker: Worker;
  onOrder: (id: string, path: string, method?: string) => void;
}

/**
 * Drawn anew only where what it shows has changed, and of plain elements where it changes most: there may be hundreds, and each has something new
 * every few seconds.
 */
export const WorkerCard = memo(function WorkerCard({ worker, onOrder }: WorkerCardProps) {
  const { slots } = worker;
  const loaded = worker.models.filter((model) => model.loaded);
  return (
    <Card withBorder padding="sm" component="article" className="worker" aria-label={worker.name}>
      <div className="worker-head">
        <div className="grow">
          <div className="worker-name">{worker.name}</div>
          <div className="small">{[worker.site, worker.host].filter(Boolean).join(" · ")}</div>
        </div>
        <StateOf state={worker.drained ? "drained" : worker.state} />
        <Orders id={worker.id} name={worker.name} isToDrain={worker.drain_requested} onOrder={onOrder} />
      </div>
      <Meter name="Slots" used={slots.used} total={slots.total} text={`${slots.used} of ${slots.total}`} />
      {worker.devices.map((device) => <DeviceMeter key={device.index} device={device} memory={worker.memory} />)}
      <div className="tags">
        {loaded.length === 0 && <span className="small">No model in memory</span>}
        {loaded.map((model) => <span key={model.digest} className="tag">{model.name ?? short(model.digest)}{model.hangs ? " hangs" : ""}</span>)}
      </div>
      <div className="small">
        {rate(worker.tokens_per_second)} tokens/s · heard {ageOf(worker)} · {worker.version}
        {worker.state === "draining" && !worker.drain_requested && " · about to end, or to take jobs again"}
        {worker.flags.length > 0 && ` · ${worker.flags.join(", ").replaceAll("_", " ")}`}
      </div>
    </Card>
  );
}, (before, after) => before.onOrder === after.onOrder && shown(before.worker) === shown(after.worker));

const shown = (worker: Worker): string => JSON.stringify([worker.name, worker.state, worker.drained, worker.drain_requested, worker.slots, worker.devices, worker.memory.free, worker.models, worker.tokens_per_second, worker.flags, ageOf(worker)]);

const StateOf = memo(function StateOf({ state }: { state: string }) {
  return <State of={state} />;
});

interface OrdersProps {
  id: string;
  name: string;
  isToDrain: boolean;
  onOrder: WorkerCardProps["onOrder"];
}

/** The menu itself is made when it is first opened. */
const Orders = memo(function Orders({ id, name, isToDrain, onOrder }: OrdersProps) {
  const [isUsed, setUsed] = useState(false);
  const button = (
    <ActionIcon variant="subtle" color="gray" aria-label={`What ${name} is to do`} onClick={() => setUsed(true)}>
      <IconDotsVertical size={16} />
    </ActionIcon>
  );
  if (!isUsed) return button;
  return (
    <Menu position="bottom-end" defaultOpened>
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>
        {isToDrain
          ? <Menu.Item onClick={() => onOrder(id, "/undrain")}>Take jobs again</Menu.Item>
          : <Menu.Item onClick={() => onOrder(id, "/drain")}>Drain: finish, and take nothing new</Menu.Item>}
        <Menu.Item color="red" onClick={() => confirm(`Shall ${name} never come back under its identity?`) && onOrder(id, "", "DELETE")}>Revoke</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
});

function DeviceMeter({ device, memory }: { device: Device; memory: Worker["memory"] }) {
  const isOwn = device.vram_total > 0;
  const total = isOwn ? device.vram_total : memory.total;
  const used = total - (isOwn ? device.vram_free : memory.free);
  return <Meter name={device.name} used={used} total={total} text={`${bytes(used)} of ${bytes(total)}${isOwn ? " VRAM" : ""}`} />;
}

function Meter({ name, used, total, text }: { name: string; used: number; total: number; text: string }) {
  const share = total > 0 ? used / total : 0;
  return (
    <div>
      <div className="meter-text"><span className="meter-name">{name}</span><span>{text}</span></div>
      <div className={share > 0.9 ? "meter nearly-full" : "meter"} role="meter" aria-label={name} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(100 * share)} aria-valuetext={text}>
        <div style={{ transform: `scaleX(${share.toFixed(3)})` }} />
      </div>
    </div>
  );
}

const ageOf = (worker: Worker): string => `${seconds(Math.max(1, Math.round(worker.heartbeat_age_seconds)))} ago`;
