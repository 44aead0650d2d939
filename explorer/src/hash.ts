/** The state of the page in the hash of its address, and back. */

import { batch, effect } from "@preact/signals";
import * as state from "./state";
import type { Along } from "./types";

const MAX_ROWS_IN_ADDRESS = 200;
const PAUSE_MS = 200;

const rounded = (value: number): string => String(Number(value.toPrecision(4)));

function isChanged(value: number, rest: number): boolean {
  return Math.abs(value - rest) > 1e-9;
}

/** The state as `key=value` pairs; what is as it would be anyway is left out. */
export function encode(): string {
  const pairs = new URLSearchParams();
  const put = (key: string, value: unknown): void => {
    if (value !== null && value !== undefined && value !== "") pairs.set(key, String(value));
  };
  put("sample", state.sampleIndex.value);
  put("map", state.mapName.value);
  put("colour", state.colourName.value);
  if (state.tab.value !== "sample") put("view", state.tab.value);
  put("theme", state.chosenTheme.value);
  if (state.channel.value) put("channel", state.channel.value);
  put("a", state.first.value);
  put("b", state.second.value);
  if (state.first.value !== null || state.second.value !== null) {
    put("along", state.along.value);
    put("position", rounded(state.position.value));
  }
  const rows = state.selection.value;
  if (rows.length && rows.length <= MAX_ROWS_IN_ADDRESS) put("selection", rows.join("."));
  if (state.own.value) return pairs.toString();
  const rest = { content: state.restingContent(), deformation: state.restingDeformation() };
  const z = state.content.value
    .map((value, i) => (isChanged(value, rest.content[i]) ? `${i}:${rounded(value)}` : ""))
    .filter(Boolean);
  put("content", z.join("_"));
  for (const [name, value] of Object.entries(state.deformation.value)) {
    if (isChanged(value, rest.deformation[name])) put(`d.${name}`, rounded(value));
  }
  return pairs.toString();
}

function integer(text: string | null): number | null {
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
}

/** Sets what needs no answer of the server; returns the rest, to be set when a sample is there. */
export function decode(hash: string): URLSearchParams {
  const pairs = new URLSearchParams(hash.replace(/^#/, ""));
  const view = pairs.get("view");
  const theme = pairs.get("theme");
  const along = pairs.get("along");
  batch(() => {
    state.mapName.value = pairs.get("map") ?? "pca";
    state.colourName.value = pairs.get("colour") ?? state.colourName.value;
    state.tab.value = view === "selection" || view === "morph" ? view : "sample";
    state.chosenTheme.value = theme === "dark" || theme === "light" ? theme : null;
    state.channel.value = integer(pairs.get("channel")) ?? 0;
    if (["content", "deformation", "both"].includes(along ?? "")) state.along.value = along as Along;
    const position = Number(pairs.get("position") ?? 0.5);
    state.position.value = position >= 0 && position <= 1 ? position : 0.5;
  });
  return pairs;
}

/** Sets sliders that the address moves away from the sample. */
export function applySliders(pairs: URLSearchParams): void {
  batch(() => {
    for (const part of (pairs.get("content") ?? "").split("_").filter(Boolean)) {
      const [index, value] = part.split(":").map(Number);
      if (Number.isFinite(value) && index < state.content.value.length) state.setContent(index, value);
    }
    for (const factor of state.model.value?.factors ?? []) {
      const value = Number(pairs.get(`d.${factor.name}`) ?? Number.NaN);
      if (Number.isFinite(value)) state.setDeformation(factor.name, value);
    }
  });
}

/** Sets the sample, the selection and the ends of the morph, as far as they exist. */
export function applyRows(pairs: URLSearchParams): void {
  const valid = (text: string | null): number | null => {
    const row = integer(text);
    return row !== null && state.isSample(row) ? row : null;
  };
  batch(() => {
    state.first.value = valid(pairs.get("a"));
    state.second.value = valid(pairs.get("b"));
    const rows = (pairs.get("selection") ?? "").split(".").map(Number).filter(state.isSample);
    const view = state.tab.value;
    state.select(pairs.has("selection") ? rows : []);
    state.tab.value = view === "selection" && !rows.length ? "sample" : view;
    const row = integer(pairs.get("sample"));
    if (row !== null && row !== state.sampleIndex.value) state.showSample(row);
    state.tab.value = view === "selection" && !rows.length ? "sample" : view;
  });
}

/** Writes changes into the address: a new sample as a step to go back to, others in place. */
export function startHash(opened: (hash: string) => void): void {
  let timer = 0;
  let pending: string | null = null;
  let sample = state.sampleIndex.value;
  function flush(): void {
    clearTimeout(timer);
    if (pending !== null && pending !== location.hash) history.replaceState(null, "", pending);
    pending = null;
  }
  effect(() => {
    const hash = `#${encode()}`;
    const isStep = sample !== null && state.sampleIndex.value !== sample;
    sample = state.sampleIndex.value;
    if (isStep) {
      flush();
      if (hash !== location.hash) history.pushState(null, "", hash);
    } else {
      clearTimeout(timer);
      pending = hash;
      timer = window.setTimeout(flush, PAUSE_MS);
    }
  });
  window.addEventListener("popstate", () => {
    clearTimeout(timer);
    pending = null;
    const row = integer(new URLSearchParams(location.hash.slice(1)).get("sample"));
    sample = row ?? sample;
    opened(location.hash);
  });
}
