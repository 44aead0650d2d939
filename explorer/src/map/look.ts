/** The look of points from the column that colours them, and from what is selected. */

import { INK, MISSING, PALETTE_SIZE, palette, rgb, type Theme } from "../colours";
import type { Column } from "../types";
import type { Look } from "./renderer";

/** The 2nd and 98th hundredth of the finite values: a few outliers do not wash out the colours. */
export function colourRange(values: Float32Array): [number, number] {
  const step = Math.max(1, Math.floor(values.length / 20_000));
  const finite: number[] = [];
  for (let i = 0; i < values.length; i += step) if (Number.isFinite(values[i])) finite.push(values[i]);
  if (!finite.length) return [0, 1];
  finite.sort((a, b) => a - b);
  const at = (share: number): number => finite[Math.round(share * (finite.length - 1))];
  const [low, high] = [at(0.02), at(0.98)];
  return high > low ? [low, high] : [finite[0], Math.max(finite[finite.length - 1], finite[0] + 1e-9)];
}

function places(n: number, column: Column | null, values: Float32Array | null): Float32Array<ArrayBuffer> {
  const result = new Float32Array(n).fill(column ? -1 : 0);
  if (!column || !values || values.length !== n) return result;
  const isCategory = column.type === "category";
  const [low, high] = isCategory ? [0, 1] : colourRange(values);
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(values[i])) continue;
    const place = isCategory
      ? values[i] % PALETTE_SIZE
      : ((values[i] - low) / (high - low)) * (PALETTE_SIZE - 1);
    result[i] = Math.min(PALETTE_SIZE - 1, Math.max(0, place));
  }
  return result;
}

export function lookOf(
  n: number,
  column: Column | null,
  values: Float32Array | null,
  highlighted: ReadonlySet<number>,
  selection: number[],
  theme: Theme,
): Look {
  const dimmed = new Uint8Array(n);
  if (selection.length) {
    dimmed.fill(1);
    for (const row of selection) dimmed[row] = 0;
  } else if (highlighted.size && values && column?.type === "category") {
    for (let i = 0; i < n; i++) dimmed[i] = highlighted.has(values[i]) ? 0 : 1;
  }
  return {
    places: places(n, column, values),
    dimmed,
    palette: palette(column?.type === "category" ? (column.categories?.length ?? 0) : null, theme),
    missing: rgb(MISSING),
    dim: rgb(INK[theme].dim),
  };
}
