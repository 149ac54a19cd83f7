import { Alert, Center, Group, Loader, Stack, Text, Title } from "@mantine/core";
import { type ReactNode } from "react";

interface PageProps {
  title: string;
  about?: string;
  error?: string | undefined;
  /** Nothing of what it shows is there yet. */
  isLoading?: boolean;
  actions?: ReactNode;
  children: ReactNode;
}

/** A page's head, what went wrong, and what it shows. */
export function Page({ title, about, error, isLoading = false, actions, children }: PageProps) {
  return (
    <Stack gap="md" aria-busy={isLoading}>
      <Group justify="space-between" align="flex-start">
        <div>
          <Title order={1}>{title}</Title>
          {about && <Text c="dimmed" size="sm">{about}</Text>}
        </div>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      <ErrorNote error={error} />
      {isLoading ? <Center h="40vh"><Loader aria-label="Loading" /></Center> : children}
    </Stack>
  );
}

export function ErrorNote({ error }: { error: string | undefined }) {
  return error ? (
    <Alert color="red" variant="outline" role="alert" title="This did not work">
      {error}
    </Alert>
  ) : null;
}

export const Empty = ({ children }: { children: ReactNode }) => (
  <Text c="dimmed" ta="center" py="xl">
    {children}
  </Text>
);
