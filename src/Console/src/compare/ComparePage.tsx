import { Button, Card, Group, MultiSelect, NumberInput, SimpleGrid, Stack, Text, Textarea, Title } from "@mantine/core";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { unanswered, type Answer } from "../api/answer";
import { newId } from "../api/newId";
import { Figures, ReplyBody } from "../chat/MessageView";
import { namesOfTalkers, useCatalogue } from "../models/useCatalogue";
import { Empty, ErrorNote, Page } from "../ui/Page";
import { useAction } from "../ui/useAction";
import { askOnce, fanOut } from "./fanOut";

interface Column {
  id: string;
  model: string;
  answer: Answer;
}

/** One prompt, several models; or one model several times, on as many workers as there are. */
export default function ComparePage() {
  const catalogue = useCatalogue();
  const [models, setModels] = useState<string[]>([]);
  const [times, setTimes] = useState(1);
  const [prompt, setPrompt] = useState("");
  const [columns, setColumns] = useState<Column[]>([]);
  const stopper = useRef<AbortController>(undefined);
  const action = useAction();
  useEffect(() => () => stopper.current?.abort(), []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const control = (stopper.current = new AbortController());
    const asked = models.flatMap((model) => Array.from({ length: times }, (): Column => ({ id: newId(), model, answer: unanswered })));
    const update = (id: string) => (change: Partial<Answer>) =>
      setColumns((all) => all.map((column) => (column.id === id ? { ...column, answer: { ...column.answer, ...change } } : column)));
    const question = (model: string) => ({ model, messages: [{ role: "user", content: prompt }] });
    setColumns(asked);
    void action.run(() =>
      Promise.all(models.map((model) => {
        const own = asked.filter((column) => column.model === model).map((column) => update(column.id));
        return own.length === 1 ? askOnce(question(model), own[0]!, control.signal) : fanOut(question(model), own, control.signal);
      })),
    );
  };
  const isReady = models.length > 0 && prompt.trim().length > 0;
  return (
    <Page title="Compare" about="One prompt, side by side" error={catalogue.error} isLoading={catalogue.isLoading}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Group align="flex-start" gap="sm">
            <MultiSelect className="wide" label="Models" placeholder={models.length === 0 ? "Choose some" : ""} data={namesOfTalkers(catalogue.data) ?? []} value={models} onChange={setModels} clearable />
            <NumberInput label="Answers of each" description="from different workers, where there are" inputWrapperOrder={["label", "input", "description", "error"]} min={1} max={8} allowDecimal={false} value={times} onChange={(value) => setTimes(Math.max(1, Number(value) || 1))} />
          </Group>
          <Textarea label="Prompt" autosize minRows={3} maxRows={10} required value={prompt} onChange={(event) => setPrompt(event.currentTarget.value)} />
          <Group>
            <Button type="submit" disabled={!isReady} loading={action.isBusy}>Ask all</Button>
            {action.isBusy && <Button variant="outline" color="red" onClick={() => stopper.current?.abort()}>Stop</Button>}
          </Group>
          <ErrorNote error={action.error} />
        </Stack>
      </form>
      {columns.length === 0 && <Empty>Answers come here, next to each other, with what each took.</Empty>}
      <SimpleGrid cols={{ base: 1, sm: Math.min(2, columns.length || 1), lg: Math.min(3, columns.length || 1) }}>
        {columns.map((column) => (
          <Card key={column.id} withBorder padding="sm" component="article" aria-label={`Answer of ${column.model}`}>
            <Group justify="space-between" mb="xs">
              <Title order={2} size="sm">{column.model}</Title>
              <Text size="xs" c="dimmed">{column.answer.worker}</Text>
            </Group>
            <ReplyBody reply={column.answer} />
            <Figures answer={column.answer} />
          </Card>
        ))}
      </SimpleGrid>
    </Page>
  );
}
