import { Card, SimpleGrid, Text, Title } from "@mantine/core";
import { useMemo } from "react";
import { seconds } from "../api/format";
import { Plot, type PlotLine } from "../ui/Plot";
import { Page } from "../ui/Page";
import { useRecording } from "./recorder";
import { figuresOf } from "./series";

const number = (value: number): string => (value === 0 ? "0" : value < 10 ? value.toFixed(2).replace(/\.?0+$/, "") : value.toFixed(0));

export default function TrafficPage() {
  const { samples, error } = useRecording();
  const figures = useMemo(() => figuresOf(samples), [samples]);
  const minutes = samples.length > 1 ? (samples.at(-1)!.at - samples[0]!.at) / 60 : 0;
  const plot = (title: string, lines: PlotLine[], format: (value: number) => string, none = "") => (
    <Card withBorder padding="sm">
      <Title order={2} size="sm" mb={4}>{title}</Title>
      {figures.times.length > 0 && lines.length > 0
        ? <Plot label={title} times={figures.times} lines={lines} format={format} />
        : <Text size="sm" c="dimmed" py="xl" ta="center">{figures.times.length > 0 ? none : "The first figures come in a few seconds"}</Text>}
    </Card>
  );
  return (
    <Page
      title="Traffic"
      about={`The edge that answers here, as /metrics has it, since this page was first opened: ${minutes < 1 ? "less than a minute" : `${Math.floor(minutes)} min`} of the last hour`}
      error={error}
    >
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        {plot("Requests", figures.requests, number)}
        {plot("Tokens", figures.tokens, number)}
        {plot("Time to the first token", figures.firstToken, seconds)}
        {plot("Wait in the queue", figures.queueWait, seconds)}
        {plot("Errors by status, a second", figures.errors, number, "No errors")}
        {plot("Jobs", figures.load, number)}
      </SimpleGrid>
    </Page>
  );
}
