import { useEffect } from "preact/hooks";
import type { Curve, Panel } from "../types";
import { thumbnails, want } from "../thumbnails";

/** The path of a curve in a box of 100 by 60; gaps stay gaps. */
function path(time: number[], values: (number | null)[], low: number, high: number): string {
  const [start, end] = [time[0], time[time.length - 1]];
  let text = "";
  let isPen = false;
  values.forEach((value, i) => {
    if (value === null || !Number.isFinite(value)) isPen = false;
    else {
      const x = (100 * (time[i] - start)) / (end - start || 1);
      const y = 57 - (54 * (value - low)) / (high - low || 1);
      text += `${isPen ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
      isPen = true;
    }
  });
  return text;
}

function Sparkline({ curve, label }: { curve: Curve; label: string }) {
  const finite = curve.values.flat().filter((value): value is number => Number.isFinite(value));
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  return (
    <svg class="spark" viewBox="0 0 100 60" preserveAspectRatio="none" role="img" aria-label={label}>
      {curve.values.map((values, i) => (
        <path d={path(curve.time, values, low, high)} class={`line-${i % 4}`} />
      ))}
    </svg>
  );
}

/** A picture, or a small drawing of a series. */
export function PanelView({ panel, label }: { panel: Panel; label: string }) {
  if (typeof panel === "string") return <img class="picture" src={panel} alt={label} draggable={false} />;
  return <Sparkline curve={panel} label={label} />;
}

/** The thumbnail of a sample, which loads by itself. */
export function LazyThumb({ index, isAligned = false }: { index: number; isAligned?: boolean }) {
  useEffect(() => want(index), [index]);
  const thumb = thumbnails.value.get(index);
  if (!thumb) return <span class="picture is-empty" />;
  return <PanelView panel={isAligned ? thumb.aligned : thumb.observed} label={`Sample ${index}`} />;
}
