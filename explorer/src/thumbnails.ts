/** Thumbnails of samples, asked in batches and kept. */

import { signal } from "@preact/signals";
import { getThumbnails } from "./api";
import { report } from "./state";
import type { Thumbnail } from "./types";

const MAX_ROWS_PER_CALL = 64;
const MAX_KEPT = 2000;
const PAUSE_MS = 40;

export const thumbnails = signal<ReadonlyMap<number, Thumbnail>>(new Map());
const wanted = new Set<number>();
let timer = 0;

async function fetchWanted(): Promise<void> {
  const rows = [...wanted].slice(-MAX_ROWS_PER_CALL);
  rows.forEach((row) => wanted.delete(row));
  try {
    const loaded = await getThumbnails(rows);
    const all = [...thumbnails.value, ...loaded.map((one) => [one.index, one] as const)];
    thumbnails.value = new Map(all.slice(-MAX_KEPT));
  } catch (error) {
    report(error);
  }
  timer = wanted.size ? window.setTimeout(fetchWanted, PAUSE_MS) : 0;
}

/** Asks for a thumbnail, soon and together with others. */
export function want(index: number): void {
  if (thumbnails.value.has(index)) return;
  wanted.add(index);
  timer ||= window.setTimeout(fetchWanted, PAUSE_MS);
}
