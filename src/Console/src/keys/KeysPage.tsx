import { Button, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "../ui/icons";
import { useState } from "react";
import { call } from "../api/edge";
import { count, time } from "../api/format";
import { type Key, type Limits } from "../api/types";
import { useLive } from "../api/useLive";
import { ErrorNote, Page } from "../ui/Page";
import { Rows } from "../ui/Rows";
import { useAction } from "../ui/useAction";
import { ChangeKey } from "./ChangeKey";
import { NewKey } from "./NewKey";
import { ShownOnce } from "./ShownOnce";

const LimitNames: Record<keyof Limits, string> = {
  requests_per_minute: "requests a minute",
  tokens_per_minute: "tokens a minute",
  tokens_per_day: "tokens a day",
  tokens_per_month: "tokens a month",
  concurrent: "at a time",
};

export default function KeysPage() {
  const keys = useLive(async (signal) => (await call<{ keys: Key[] }>("keys", { signal })).keys, 10_000);
  const [isMaking, making] = useDisclosure(false);
  const [made, setMade] = useState<Key>();
  const [changing, setChanging] = useState<string>();
  const action = useAction();
  const show = (key: Key) => {
    setMade(key);
    keys.refresh();
  };
  const rotate = (key: Key) =>
    void action.run(async () => show(await call<Key>(`keys/${key.id}/rotate`, { body: {} })));
  const revoke = (key: Key) => {
    if (confirm(`Shall nobody get in with the key ${key.name} any more?`)) void action.run(() => call(`keys/${key.id}`, { method: "DELETE" })).then(keys.refresh);
  };
  return (
    <Page title="Keys" about="Who may call, what, and how much" error={keys.error} isLoading={keys.isLoading} actions={<Button leftSection={<IconPlus size={16} />} onClick={making.open}>New key</Button>}>
      <ErrorNote error={action.error} />
      <Rows
        live={keys}
        minWidth={820}
        empty="No keys yet."
        keyOf={(key) => key.id}
        columns={[
          { title: "Name", cell: (key) => <><Text size="sm" fw={600}>{key.name}</Text><Text size="xs" c="dimmed" className="mono">{key.id}</Text></> },
          { title: "Role", cell: (key) => key.role },
          { title: "Tenant", cell: (key) => key.tenant },
          { title: "Models", cell: (key) => key.models?.join(", ") ?? "all" },
          { title: "Limits", cell: (key) => <LimitsText limits={key.limits} /> },
          { title: "Expires", className: "nowrap", cell: (key) => (key.expires_at ? time(key.expires_at) : "never") },
          { title: "Last used", className: "nowrap", cell: (key) => (key.last_used_at ? time(key.last_used_at) : "–") },
          {
            title: "Actions",
            isTitleHidden: true,
            className: "nowrap",
            cell: (key) => (
              <>
                <Button size="compact-xs" variant="default" aria-label={`Change ${key.name}`} onClick={() => setChanging(key.id)}>Change</Button>{" "}
                <Button size="compact-xs" variant="default" aria-label={`New secret for ${key.name}`} onClick={() => rotate(key)}>New secret</Button>{" "}
                <Button size="compact-xs" variant="outline" color="red" aria-label={`Revoke ${key.name}`} onClick={() => revoke(key)}>Revoke</Button>
              </>
            ),
          },
        ]}
      />
      {isMaking && <NewKey onClose={making.close} onMade={(key) => (making.close(), show(key))} />}
      {changing && <ChangeKey id={changing} onClose={() => setChanging(undefined)} onChanged={() => (setChanging(undefined), keys.refresh())} />}
      {made && <ShownOnce made={made} onClose={() => setMade(undefined)} />}
    </Page>
  );
}

function LimitsText({ limits }: { limits: Limits }) {
  const set = (Object.keys(LimitNames) as (keyof Limits)[]).filter((name) => limits[name] !== undefined);
  return set.length === 0 ? <>none</> : <Text size="xs">{set.map((name) => `${count(limits[name]!)} ${LimitNames[name]}`).join(", ")}</Text>;
}
