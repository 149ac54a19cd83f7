import { Button, Modal, SegmentedControl, Stack, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { call, edgeUrl } from "../api/edge";
import { time } from "../api/format";
import { type Worker } from "../api/types";
import { Copy } from "../ui/Copy";
import { ErrorNote } from "../ui/Page";
import { useAction } from "../ui/useAction";

interface JoinToken {
  token: string;
  expires_at: string;
  /** Of storage and SignalR, where these listen on the edge's machine alone. */
  loopback_ports: number[];
}

const Commands: Record<string, (token: string) => string> = {
  Linux: (token) => `sudo OLLAMAMAX_JOIN_TOKEN=${token} ./install.sh --edge ${edgeUrl}`,
  Windows: (token) => `$env:OLLAMAMAX_JOIN_TOKEN='${token}'; .\\install.ps1 -Edge ${edgeUrl}`,
  Checkout: (token) => `OLLAMAMAX_JOIN_TOKEN=${token} dotnet run -c Release --project src/GpuWorker -- run --edge ${edgeUrl}`,
};

const Loopback = /^(localhost|127\.[\d.]+|\[::1\])$/;

/** Through a tunnel the addresses that such an edge gives out mean the same on the box. */
function tunnelled({ token, loopback_ports }: JoinToken): string {
  const { hostname, port } = new URL(edgeUrl);
  const isHere = Loopback.test(hostname);
  const ports = isHere ? [Number(port || 80), ...loopback_ports] : loopback_ports;
  return `ssh -fN ${ports.map((one) => `-L ${one}:127.0.0.1:${one}`).join(" ")} ${isHere ? "USER@MACHINE" : `USER@${hostname}`} && ${Commands.Checkout!(token)}`;
}

/** Makes a token, shows the command to paste, and says when the box has come. */
export function JoinDialog({ isOpen, onClose, known }: { isOpen: boolean; onClose: () => void; known: Worker[] | undefined }) {
  const [token, setToken] = useState<JoinToken>();
  const [system, setSystem] = useState("Linux");
  const action = useAction();
  const before = useRef<Set<string>>(new Set());
  const latest = useRef(known);
  latest.current = known;
  const { run } = action;
  useEffect(() => {
    if (!isOpen) return;
    setToken(undefined);
    before.current = new Set(latest.current?.map((worker) => worker.id));
    void run(async () => setToken(await call<JoinToken>("cluster/join-tokens", { method: "POST" })));
  }, [isOpen, run]);
  const isTunnelled = token !== undefined && token.loopback_ports.length > 0;
  const joined = token && known?.find((worker) => !before.current.has(worker.id));
  return (
    <Modal opened={isOpen} onClose={onClose} title="Join a box" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <Stack>
        <Text size="sm">The box needs no open port: its worker only dials out. Run this there, in the folder of a published worker or in a checkout.</Text>
        {isTunnelled
          ? <Text size="sm">Storage and SignalR of this edge listen on its own machine alone, so a box needs a tunnel to them for as long as its worker runs. In a checkout:</Text>
          : <SegmentedControl aria-label="What runs on the box" data={Object.keys(Commands)} value={system} onChange={setSystem} />}
        <ErrorNote error={action.error} />
        {token && <Copy block what="the command" text={isTunnelled ? tunnelled(token) : Commands[system]!(token.token)} />}
        {token && <Text size="sm" c="dimmed">The token is good for one box, once, until {time(token.expires_at)}.</Text>}
        <Text size="sm" role="status" fw={joined ? 600 : 400}>{joined ? `${joined.name} has joined.` : token ? "Waiting for the box…" : action.isBusy ? "Making a token…" : ""}</Text>
        <Button variant="default" onClick={onClose}>Close</Button>
      </Stack>
    </Modal>
  );
}
