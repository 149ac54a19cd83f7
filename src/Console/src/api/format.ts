const Units = ["B", "KB", "MB", "GB", "TB", "PB"];

/** Decimal units, as disks have them; the command line has binary ones (KiB). */
export function bytes(count: number): string {
  let unit = 0;
  let value = count;
  while (value >= 1000 && unit < Units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${Units[unit]}`;
}

export function seconds(value: number): string {
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 60) return `${value.toFixed(value < 10 ? 1 : 0)} s`;
  if (value < 3600) return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
  return value < 86_400 ? `${Math.floor(value / 3600)} h ${Math.round((value % 3600) / 60)} min` : `${Math.round(value / 86_400)} days`;
}

const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** From RFC 3339, or Unix seconds. */
export const time = (at: string | number): string => dateTime.format(typeof at === "number" ? at * 1000 : new Date(at));

export const count = (value: number): string => new Intl.NumberFormat().format(value);

export const rate = (value: number | null): string => (value === null ? "–" : value >= 100 ? value.toFixed(0) : value.toFixed(1));

/** A digest's first digits, as people know them. */
export const short = (digest: string): string => digest.replace(/^sha256[:-]/, "").slice(0, 12);

/** As an input of the type datetime-local has it: in the browser's time zone, to the minute. */
export function inputTime(at: string): string {
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
