import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface PlotLine {
  label: string;
  values: (number | null)[];
}

interface PlotProps {
  /** Said to who does not see it. */
  label: string;
  /** Unix time in seconds. */
  times: number[];
  lines: PlotLine[];
  format: (value: number) => string;
  /** Bars that stand on each other, instead of lines. */
  isStacked?: boolean;
  height?: number;
}

/** In seconds. */
const ShortestSpan = 300;
const HalfADay = 43_200;

const Colors = {
  light: ["#364fc7", "#c2255c", "#087f5b", "#a8480b", "#6741d9", "#0b7285", "#5f3d00", "#495057"],
  dark: ["#91a7ff", "#faa2c1", "#63e6be", "#ffc078", "#b197fc", "#66d9e8", "#ffe066", "#ced4da"],
};

export function Plot({ label, times, lines, format, isStacked = false, height = 190 }: PlotProps) {
  const scheme = useComputedColorScheme("light");
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const names = lines.map((line) => line.label).join("\n");
  const latest = useRef({ format, lines });
  latest.current = { format, lines };

  useEffect(() => {
    const element = place.current!;
    const style = getComputedStyle(element);
    const text = style.getPropertyValue("--mantine-color-dimmed");
    const grid = { stroke: style.getPropertyValue("--mantine-color-default-border"), width: 1 };
    const axis = { stroke: text, grid, ticks: grid, font: "11px system-ui" };
    const created = new uPlot(
      {
        width: element.clientWidth,
        height,
        padding: [10, 10, 0, 0],
        scales: {
          // A minute of points is no span to draw an axis by; the last bar is to be seen whole.
          x: { range: (_, min, max) => (isStacked ? [min - HalfADay, max + HalfADay] : [Math.min(min, max - ShortestSpan), max]) },
          y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] },
        },
        axes: [axis, { ...axis, size: 62, values: (_, ticks) => ticks.map((tick) => latest.current.format(tick)) }],
        legend: { live: true },
        cursor: { drag: { x: false, y: false } },
        series: [{}, ...names.split("\n").map((name, index) => ({
          label: name,
          stroke: Colors[scheme][index % 8]!,
          ...(isStacked ? { fill: Colors[scheme][index % 8]!, paths: uPlot.paths.bars!({ size: [0.7, 48] }), points: { show: false } } : { width: 1.5, spanGaps: false }),
          // Of bars that stand on others, what is their own.
          value: (_: uPlot, value: number | null, __: number, at: number | null) => {
            const own = isStacked && at !== null ? latest.current.lines[index]?.values[at] : value;
            return own === null || own === undefined ? "–" : latest.current.format(own);
          },
        }))],
      },
      [[]],
      element,
    );
    plot.current = created;
    const watch = new ResizeObserver(() => created.setSize({ width: element.clientWidth, height }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      created.destroy();
    };
  }, [names, scheme, height, isStacked]);

  useEffect(() => {
    // Of a single point uPlot makes a span of its own: there is one with nothing before it.
    const isSingle = times.length === 1;
    const values = isStacked ? stack(lines) : lines.map((line) => (isSingle ? [null, ...line.values] : line.values));
    plot.current?.setData([isSingle ? [times[0]! - ShortestSpan, ...times] : times, ...values] as uPlot.AlignedData);
  }, [times, lines, names, scheme, height, isStacked]);

  const now = lines.map((line) => `${line.label} ${line.values.at(-1) === null || line.values.length === 0 ? "nothing" : format(line.values.at(-1)!)}`).join(", ");
  return <div ref={place} className="plot" role="img" aria-label={`${label}. Last: ${now}`} />;
}

/** The first one is drawn first, so it is the highest: the others stand before it. */
const stack = (lines: PlotLine[]): number[][] =>
  lines.map((line, index) => line.values.map((_, at) => lines.slice(index).reduce((sum, one) => sum + (one.values[at] ?? 0), 0)));
