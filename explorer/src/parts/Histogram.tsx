import { useEffect, useState } from "preact/hooks";
import { getHistogram } from "../api";
import { columns, report, wantColumn } from "../state";
import type { Histogram as Counts } from "../types";

const loaded = new Map<string, Promise<Counts>>();

function histogram(name: string): Promise<Counts> {
  const known = loaded.get(name) ?? getHistogram(name);
  loaded.set(name, known);
  return known;
}

/** The histogram of a column; null until it is there. */
function useHistogram(name: string): Counts | null {
  const [counts, setCounts] = useState<Counts | null>(null);
  useEffect(() => {
    histogram(name).then(setCounts, (error) => {
      loaded.delete(name);
      report(error);
    });
  }, [name]);
  return counts;
}

/** Bars over a box of 100 by 24, the highest one as high as the box. */
function Bars({ edges, counts, place, kind }: {
  edges: number[];
  counts: number[];
  place: (value: number) => number;
  kind: string;
}) {
  const most = Math.max(1, ...counts);
  return edges.slice(1).map((edge, i) => {
    const height = (23 * counts[i]) / most;
    const [from, to] = [place(edges[i]), place(edge)];
    return <rect class={kind} x={from} y={24 - height} width={0.86 * (to - from)} height={height} />;
  });
}

interface Props {
  name: string;
  title: string;
  low: number;
  high: number;
  mark: number | null;
}

/** Bars over the range of a slider, with a mark where the sample in view is. */
export function Histogram({ name, title, low, high, mark }: Props) {
  const histogram = useHistogram(name);
  const least = Math.min(low, mark ?? low);
  const span = Math.max(high, mark ?? high) - least || 1;
  const place = (value: number): number => (100 * (value - least)) / span;
  return (
    <svg class="histogram" viewBox="0 0 100 24" preserveAspectRatio="none" role="img"
      aria-label={`Histogram of ${title}`} data-testid={`histogram-${name}`}>
      {histogram && <Bars edges={histogram.edges ?? []} counts={histogram.counts} place={place} kind="all" />}
      {mark !== null && <line x1={place(mark)} x2={place(mark)} y1={0} y2={24} data-testid={`mark-${name}`} />}
    </svg>
  );
}

function countsOf(values: Float32Array, rows: number[], edges: number[]): number[] {
  const counts = new Array<number>(edges.length - 1).fill(0);
  const [low, high] = [edges[0], edges[edges.length - 1]];
  for (const row of rows) {
    if (!(values[row] >= low && values[row] <= high)) continue;
    const place = Math.floor(((values[row] - low) / (high - low)) * counts.length);
    counts[Math.min(counts.length - 1, place)]++;
  }
  return counts;
}

/** The selected rows over all of them, both as high as the box. */
export function SelectionHistogram({ name, title, rows }: { name: string; title: string; rows: number[] }) {
  const histogram = useHistogram(name);
  useEffect(() => wantColumn(name), [name]);
  const values = columns.value.get(name);
  const edges = histogram?.edges ?? [];
  const [low, high] = [edges[0], edges[edges.length - 1]];
  const place = (value: number): number => (100 * (value - low)) / (high - low || 1);
  return (
    <svg class="histogram" viewBox="0 0 100 24" preserveAspectRatio="none" role="img"
      aria-label={`Histogram of ${title} in the selection and in all samples`} data-testid={`selected-${name}`}>
      {histogram && edges.length > 1 && <Bars edges={edges} counts={histogram.counts} place={place} kind="all" />}
      {values && edges.length > 1 && (
        <Bars edges={edges} counts={countsOf(values, rows, edges)} place={place} kind="selected" />
      )}
    </svg>
  );
}
