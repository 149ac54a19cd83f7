import { lazy, Suspense, useEffect, useSyncExternalStore, type ComponentType } from "react";
import { ActionIcon, AppShell, Burger, Center, Group, Loader, NavLink, Text, Tooltip, useMantineColorScheme } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  IconActivity,
  IconChartBar,
  IconColumns,
  IconDatabase,
  IconKey,
  IconListCheck,
  IconLogout,
  IconMessage,
  IconMoon,
  IconServer2,
  IconSun,
  IconTimeline,
} from "./ui/icons";
import { auth, call } from "./api/edge";
import { ChatPage } from "./chat/ChatPage";
import { KeyDialog } from "./ui/KeyDialog";
import { PageBoundary } from "./ui/PageBoundary";
import { useRoute } from "./ui/route";

interface PageInfo {
  path: string;
  label: string;
  icon: typeof IconMessage;
  page: ComponentType;
}

/** The chat comes with the console itself, the others when they are first asked for. */
const pages: PageInfo[] = [
  { path: "chat", label: "Chat", icon: IconMessage, page: ChatPage },
  { path: "compare", label: "Compare", icon: IconColumns, page: lazy(() => import("./compare/ComparePage")) },
  { path: "cluster", label: "Cluster", icon: IconServer2, page: lazy(() => import("./cluster/ClusterPage")) },
  { path: "models", label: "Models", icon: IconDatabase, page: lazy(() => import("./models/ModelsPage")) },
  { path: "jobs", label: "Jobs and batches", icon: IconListCheck, page: lazy(() => import("./jobs/JobsPage")) },
  { path: "traffic", label: "Traffic", icon: IconActivity, page: lazy(() => import("./traffic/TrafficPage")) },
  { path: "keys", label: "Keys", icon: IconKey, page: lazy(() => import("./keys/KeysPage")) },
  { path: "usage", label: "Usage", icon: IconChartBar, page: lazy(() => import("./keys/UsagePage")) },
  { path: "audit", label: "Audit", icon: IconTimeline, page: lazy(() => import("./keys/AuditPage")) },
];

export function App() {
  const [isOpen, nav] = useDisclosure(false);
  const route = useRoute();
  const current = pages.find((page) => page.path === route) ?? pages[0]!;
  const isKeyWanted = useSyncExternalStore(auth.subscribe, () => auth.isWanted);
  const Current = current.page;

  useEffect(() => {
    document.title = `${current.label} · OllamaMax`;
  }, [current]);
  // Whether a key is needed shows before somebody has typed a question.
  useEffect(() => {
    call("api/version").catch(() => undefined);
  }, []);

  return (
    <AppShell header={{ height: 52 }} navbar={{ width: 210, breakpoint: "sm", collapsed: { mobile: !isOpen } }} padding="md">
      <a className="skip" href="#main" onClick={(event) => (event.preventDefault(), document.getElementById("main")?.focus())}>
        Skip to the page
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <Burger opened={isOpen} onClick={nav.toggle} hiddenFrom="sm" size="sm" aria-label="Navigation" aria-expanded={isOpen} />
            <img src="./icon.svg" alt="" width="24" height="24" />
            <Text fw={700}>OllamaMax</Text>
          </Group>
          <Tools />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages">
        {pages.map(({ path, label, icon: PageIcon }) => (
          <NavLink
            key={path}
            href={`#/${path}`}
            label={label}
            active={path === current.path}
            aria-current={path === current.path ? "page" : undefined}
            leftSection={<PageIcon size={18} aria-hidden />}
            onClick={nav.close}
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        <PageBoundary key={current.path} title={current.label}>
          <Suspense fallback={<Center h="50vh"><Loader aria-label="Loading" /></Center>}>
            <Current />
          </Suspense>
        </PageBoundary>
      </AppShell.Main>
      <KeyDialog isOpen={isKeyWanted} />
    </AppShell>
  );
}

function Tools() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const key = useSyncExternalStore(auth.subscribe, () => auth.key);
  const isDark = colorScheme === "dark" || (colorScheme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  const change = `Change to ${isDark ? "light" : "dark"}`;
  return (
    <Group gap="xs" wrap="nowrap">
      <Tooltip label={change}>
        <ActionIcon variant="default" size="lg" aria-label={change} onClick={() => setColorScheme(isDark ? "light" : "dark")}>
          {isDark ? <IconSun size={18} /> : <IconMoon size={18} />}
        </ActionIcon>
      </Tooltip>
      {key && (
        <Tooltip label="Forget the key">
          <ActionIcon variant="default" size="lg" aria-label="Forget the key" onClick={() => (auth.use(undefined), location.reload())}>
            <IconLogout size={18} />
          </ActionIcon>
        </Tooltip>
      )}
    </Group>
  );
}
