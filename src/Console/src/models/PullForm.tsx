import { Button, Group, Progress, Stack, Text, TextInput } from "@mantine/core";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { call, lines } from "../api/edge";
import { bytes } from "../api/format";
import { ErrorNote } from "../ui/Page";
import { useAction } from "../ui/useAction";
import { fileAddress, nameOfFile } from "./fileAddress";

interface PullLine {
  status?: string;
  error?: string;
  total?: number;
  completed?: number;
}

/**
 * Pulls a model and shows how far it is. Whoever leaves the page ends the pull, and the next one goes on where it was; one in the background goes on by itself, and is seen among what is
 * on its way.
 */
export function PullForm({ onPulled }: { onPulled: () => void }) {
  const [written, setWritten] = useState("");
  const [name, setName] = useState("");
  const [line, setLine] = useState<PullLine>();
  const control = useRef<AbortController>(undefined);
  const action = useAction();
  useEffect(() => () => control.current?.abort(), []);
  const from = fileAddress(written.trim());
  const body = from ? { model: name.trim() || nameOfFile(from), from } : { model: written.trim() };
  const clear = () => {
    setWritten("");
    setName("");
  };
  const pull = (event: FormEvent) => {
    event.preventDefault();
    control.current = new AbortController();
    const { signal } = control.current;
    setLine({ status: "asking" });
    void action.run(async () => {
      try {
        for await (const next of lines<PullLine>("api/pull", { body, signal })) {
          if (next.error) throw new Error(next.error);
          setLine(next);
        }
        clear();
        onPulled();
      } catch (error) {
        setLine(undefined);
        if (!signal.aborted) throw error;
      }
    });
  };
  const leave = () =>
    void action.run(async () => {
      await call("cluster/transfers", { body });
      setLine(undefined);
      clear();
    });
  const share = line?.total ? (100 * (line.completed ?? 0)) / line.total : 0;
  return (
    <form onSubmit={pull}>
      <Stack gap="xs">
        <Group align="flex-end" gap="xs">
          <TextInput
            className="grow"
            label="Pull a model"
            placeholder="qwen3:4b, hf.co/org/repo:Q4_K_M, or a GGUF's address"
            required
            value={written}
            onChange={(event) => setWritten(event.currentTarget.value)}
            disabled={action.isBusy}
          />
          {from && (
            <TextInput label="Its name here" placeholder={nameOfFile(from)} value={name} onChange={(event) => setName(event.currentTarget.value)} disabled={action.isBusy} />
          )}
          {action.isBusy
            ? <Button color="red" variant="outline" onClick={() => control.current?.abort()}>Stop</Button>
            : (
              <>
                <Button type="submit">Pull</Button>
                <Button variant="default" disabled={!written.trim()} onClick={leave}>In the background</Button>
              </>
            )}
        </Group>
        {line && (
          <div>
            <Group justify="space-between">
              <Text size="sm" role="status">{line.status}</Text>
              {line.total ? <Text size="sm" c="dimmed">{bytes(line.completed ?? 0)} of {bytes(line.total)}</Text> : null}
            </Group>
            {action.isBusy && <Progress value={share} animated={!line.total} aria-label={`${line.status ?? "Pull"}: ${Math.round(share)} %`} />}
          </div>
        )}
        <ErrorNote error={action.error} />
      </Stack>
    </form>
  );
}
