import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { INK, type Theme } from "../colours";
import { number } from "../format";
import { theme } from "../state";

export interface Line {
  name: string;
  values: (number | null)[];
  isModel?: boolean;
  isQuiet?: boolean;
}

interface Props {
  title: string;
  time: number[];
  lines: Line[];
  unit: string;
  height?: number;
  testid: string;
}

function options(props: Props, width: number, name: Theme): uPlot.Options {
  const ink = INK[name];
  const axis: uPlot.Axis = {
    stroke: ink.quiet,
    grid: { stroke: ink.line, width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
    gap: 4,
  };
  return {
    width,
    height: props.height ?? 150,
    scales: { x: { time: false } },
    legend: { show: false },
    padding: [8, 10, 0, 0],
    cursor: { y: false, points: { size: 5 }, drag: { x: true, y: false } },
    axes: [
      { ...axis, size: 24, space: 60, values: (_, ticks) => ticks.map((tick, i) => (i ? String(tick) : `${tick} ${props.unit}`)) },
      { ...axis, size: 38, space: 34, values: (_, ticks) => ticks.map((tick) => number(tick).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "")) },
    ],
    series: [
      {},
      ...props.lines.map((line): uPlot.Series => ({
        label: line.name,
        stroke: line.isQuiet ? ink.quiet : line.isModel ? ink.second : ink.first,
        width: line.isQuiet ? 1 : 1.6,
        dash: line.isQuiet ? [4, 4] : [],
        points: { show: false },
      })),
    ],
  };
}

/** Curves over time, with a legend in words; drag to zoom, double click for everything. */
export function Chart(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data: uPlot.AlignedData = [props.time, ...props.lines.map((line) => line.values)];
  const shape = `${theme.value} ${props.unit} ${props.lines.map((line) => line.name)}`;

  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const made = new uPlot(options(props, element.clientWidth, theme.value), data, element);
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: props.height ?? 150 }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(data), [props.time, ...props.lines.map((line) => line.values)]);

  return (
    <figure class="chart" data-testid={props.testid}>
      <figcaption>
        <span>{props.title}</span>
        {props.lines.map((line) => (
          <span class={`key ${line.isQuiet ? "is-quiet" : line.isModel ? "is-model" : ""}`}>{line.name}</span>
        ))}
      </figcaption>
      <div ref={box} class="plot" role="img" aria-label={`${props.title}: ${props.lines.map((line) => line.name).join(", ")} over time`} />
    </figure>
  );
}
