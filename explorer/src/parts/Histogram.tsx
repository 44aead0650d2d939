import { useEffect, useState } from "preact/hooks";
import { getHistogram } from "../api";
import { report } from "../state";
import type { Histogram as Counts } from "../types";

const loaded = new Map<string, Promise<Counts>>();

function histogram(name: string): Promise<Counts> {
  const known = loaded.get(name) ?? getHistogram(name);
  loaded.set(name, known);
  return known;
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
  const [counts, setCounts] = useState<Counts | null>(null);
  useEffect(() => {
    histogram(name).then(setCounts, (error) => {
      loaded.delete(name);
      report(error);
    });
  }, [name]);
  const edges = counts?.edges ?? [];
  const most = Math.max(1, ...(counts?.counts ?? []));
  const [least, span] = [Math.min(low, mark ?? low), Math.max(high, mark ?? high) - Math.min(low, mark ?? low) || 1];
  const place = (value: number): number => (100 * (value - least)) / span;
  return (
    <svg class="histogram" viewBox="0 0 100 24" preserveAspectRatio="none" role="img"
      aria-label={`Histogram of ${title}`} data-testid={`histogram-${name}`}>
      {edges.slice(1).map((edge, i) => {
        const height = (23 * (counts?.counts[i] ?? 0)) / most;
        const [from, to] = [place(edges[i]), place(edge)];
        return <rect x={from} y={24 - height} width={0.86 * (to - from)} height={height} />;
      })}
      {mark !== null && <line x1={place(mark)} x2={place(mark)} y1={0} y2={24} data-testid={`mark-${name}`} />}
    </svg>
  );
}
