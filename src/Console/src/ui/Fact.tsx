import { Card, Text } from "@mantine/core";

/** One figure with its name. */
export function Fact({ name, value, more }: { name: string; value: string; more?: string }) {
  return (
    <Card withBorder padding="sm">
      <Text size="xs" c="dimmed">{name}</Text>
      <Text fw={600} truncate>{value}</Text>
      {more !== undefined && <Text size="xs" c="dimmed">{more}</Text>}
    </Card>
  );
}
