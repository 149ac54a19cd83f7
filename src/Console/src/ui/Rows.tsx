import { Center, Loader, Table } from "@mantine/core";
import { type ReactNode } from "react";
import { type Live } from "../api/useLive";
import { Empty } from "./Page";

export interface Column<T> {
  title: string;
  /** The title is said to who does not see the page, and not written. */
  isTitleHidden?: boolean;
  isNumber?: boolean;
  /** Of its cells. */
  className?: string;
  cell: (row: T) => ReactNode;
}

interface RowsProps<T> {
  live: Pick<Live<T[]>, "data" | "isLoading">;
  columns: Column<T>[];
  keyOf: (row: T, index: number) => string;
  /** Said where there is no row. */
  empty: ReactNode;
  /** In pixels; where there is less room the table is scrolled. */
  minWidth: number;
}

/** A table of what comes, a loader until it does. */
export function Rows<T>({ live, columns, keyOf, empty, minWidth }: RowsProps<T>) {
  if (live.isLoading) return <Center h="30vh"><Loader aria-label="Loading" aria-busy /></Center>;
  if (!live.data) return null;
  if (live.data.length === 0) return <Empty>{empty}</Empty>;
  return (
    <Table.ScrollContainer minWidth={minWidth}>
      <Table verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            {columns.map(({ title, isTitleHidden, isNumber }) =>
              isTitleHidden ? <Table.Th key={title} aria-label={title} /> : <Table.Th key={title} className={isNumber ? "number" : undefined}>{title}</Table.Th>)}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {live.data.map((row, index) => (
            <Table.Tr key={keyOf(row, index)}>
              {columns.map(({ title, isNumber, className, cell }) => <Table.Td key={title} className={isNumber ? "number" : className}>{cell(row)}</Table.Td>)}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
