/** The state of the page, in signals; views read them, actions write them. */

import { batch, computed, effect, signal } from "@preact/signals";
import * as api from "./api";
import { Latest } from "./latest";
import type { Theme } from "./colours";
import type {
  Along, Column, Deformation, Model, Morphed, Rendered, Sample, SelectionSummary,
} from "./types";

export type Tab = "sample" | "selection" | "morph";
export type PointsState = "loading" | "computing" | "ready" | "failed";

export const model = signal<Model | null>(null);
export const message = signal<string | null>(null);
export const needsToken = signal(false);
export const tab = signal<Tab>("sample");

export const chosenTheme = signal<Theme | null>(null);
const darkMedia = matchMedia("(prefers-color-scheme: dark)");
const systemTheme = signal<Theme>(darkMedia.matches ? "dark" : "light");
darkMedia.addEventListener("change", () => {
  systemTheme.value = darkMedia.matches ? "dark" : "light";
});
export const theme = computed<Theme>(() => chosenTheme.value ?? systemTheme.value);

export const mapName = signal("pca");
export const points = signal<Float32Array<ArrayBuffer>>(new Float32Array());
export const pointsState = signal<PointsState>("loading");
export const colourName = signal<string | null>(null);
export const columns = signal<ReadonlyMap<string, Float32Array<ArrayBuffer>>>(new Map());
export const highlighted = signal<ReadonlySet<number>>(new Set());

export const sampleIndex = signal<number | null>(null);
export const sample = signal<Sample | null>(null);
export const own = signal<{ name: string; samples: Sample[]; place: number } | null>(null);
export const isUploading = signal(false);
export const channel = signal(0);

export const content = signal<number[]>([]);
export const deformation = signal<Deformation>({});
export const rendered = signal<Rendered | null>(null);

export const selection = signal<number[]>([]);
export const selectionSummary = signal<SelectionSummary | null>(null);

export const first = signal<number | null>(null);
export const second = signal<number | null>(null);
export const along = signal<Along>("both");
export const position = signal(0.5);
export const morphed = signal<Morphed | null>(null);

/** The sample in view: an own one, else one of the collection. */
export const shown = computed<Sample | null>(() => {
  const mine = own.value;
  return mine ? mine.samples[mine.place] : sample.value;
});

export const colourColumn = computed<Column | null>(
  () => model.value?.columns.find((column) => column.name === colourName.value) ?? null,
);
export const colourValues = computed(() => columns.value.get(colourName.value ?? "") ?? null);

/** Shows an error as a line; a refused token asks for another one. */
export function report(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  batch(() => {
    if (error instanceof api.ServerError && error.status === 401) needsToken.value = true;
    message.value = text;
  });
}

/** The content and the deformation from which sliders start: the shown sample, or the average. */
export function restingContent(): number[] {
  return shown.value?.content ?? model.value?.content.map((column) => column.mean) ?? [];
}

export function restingDeformation(): Deformation {
  if (shown.value) return shown.value.deformation;
  const factors = model.value?.factors ?? [];
  return Object.fromEntries(factors.map((factor) => [factor.name, factor.identity]));
}

export function resetSliders(): void {
  batch(() => {
    content.value = [...restingContent()];
    deformation.value = { ...restingDeformation() };
  });
}

export function setContent(index: number, value: number): void {
  content.value = content.value.map((old, i) => (i === index ? value : old));
}

export function setDeformation(name: string, value: number): void {
  deformation.value = { ...deformation.value, [name]: value };
}

export async function loadModel(): Promise<void> {
  const loaded = await api.getModel();
  batch(() => {
    model.value = loaded;
    needsToken.value = false;
    if (!loaded.maps.includes(mapName.value)) mapName.value = loaded.maps[0] ?? "pca";
    if (!loaded.columns.some((column) => column.name === colourName.value)) {
      colourName.value = loaded.columns[0]?.name ?? null;
    }
    resetSliders();
  });
}

/** Loads a sample of the collection; of several asked quickly, the newest is shown. */
const samples = new Latest<number, Sample>(
  api.getSample,
  (loaded, index) => {
    if (index !== sampleIndex.value) return;
    batch(() => {
      sample.value = loaded;
      if (!own.value) resetSliders();
    });
  },
  (error) => {
    sampleIndex.value = sample.value?.index ?? null;
    report(error);
  },
);

export function isSample(index: number): boolean {
  return Number.isInteger(index) && index >= 0 && index < (model.value?.n_samples ?? 0);
}

export function showSample(index: number): void {
  if (!isSample(index)) {
    const n = model.value?.n_samples ?? 0;
    message.value = n
      ? `There is no sample ${index}: choose one from 0 to ${n - 1}.`
      : "The explorer was started without data: start it with --data to see samples.";
    return;
  }
  batch(() => {
    message.value = null;
    own.value = null;
    sampleIndex.value = index;
    tab.value = tab.value === "selection" ? "sample" : tab.value;
  });
  samples.push(index);
}

export function stepSample(step: number): void {
  const n = model.value?.n_samples ?? 0;
  if (n) showSample(((sampleIndex.value ?? 0) + step + n) % n);
}

export async function openFile(file: File): Promise<void> {
  isUploading.value = true;
  try {
    const aligned = await api.alignFile(file);
    if (!aligned.length) throw new Error(`${file.name} holds no sample.`);
    batch(() => {
      message.value = null;
      own.value = { name: file.name, samples: aligned, place: 0 };
      tab.value = "sample";
      resetSliders();
    });
  } catch (error) {
    report(error);
  } finally {
    isUploading.value = false;
  }
}

export function stepOwn(step: number): void {
  const mine = own.value;
  if (!mine) return;
  const n = mine.samples.length;
  batch(() => {
    own.value = { ...mine, place: (mine.place + step + n) % n };
    resetSliders();
  });
}

export function closeOwn(): void {
  batch(() => {
    own.value = null;
    resetSliders();
  });
}

export function select(rows: number[]): void {
  batch(() => {
    selection.value = rows;
    selectionSummary.value = null;
    if (rows.length) tab.value = "selection";
    else if (tab.value === "selection") tab.value = "sample";
  });
}

const columnsAsked = new Set<string>();

/** Asks for the values of a column, once. */
export function wantColumn(name: string): void {
  if (columnsAsked.has(name)) return;
  columnsAsked.add(name);
  api.getColumn(name).then((values) => {
    columns.value = new Map(columns.peek()).set(name, values);
  }, (error) => {
    columnsAsked.delete(name);
    report(error);
  });
}

/** Starts what follows a change by itself: maps, colours, decoding, summaries, morphs. */
export function startEffects(): void {
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
  });
  startMap();
  effect(() => {
    const name = colourName.value;
    if (model.value?.n_samples && name) wantColumn(name);
  });
  const renders = new Latest<[number[], Deformation], Rendered>(
    ([z, theta]) => api.render(z, theta),
    (answer) => (rendered.value = answer),
    report,
  );
  effect(() => {
    const pair: [number[], Deformation] = [content.value, deformation.value];
    if (model.value && pair[0].length) renders.push(pair);
  });
  const summaries = new Latest<number[], SelectionSummary>(
    api.summarise,
    (answer, rows) => {
      if (rows === selection.value) selectionSummary.value = answer;
    },
    report,
  );
  effect(() => {
    if (model.value && selection.value.length) summaries.push(selection.value);
  });
  startMorphs();
}

function startMap(): void {
  effect(() => {
    const name = mapName.value;
    if (!model.value?.n_samples) return;
    batch(() => {
      pointsState.value = "loading";
    });
    void loadPoints(name);
  });
}

async function loadPoints(name: string): Promise<void> {
  try {
    for (;;) {
      const loaded = await api.getPoints(name);
      if (name !== mapName.value) return;
      if (loaded) {
        batch(() => {
          points.value = loaded;
          pointsState.value = "ready";
        });
        return;
      }
      pointsState.value = "computing";
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  } catch (error) {
    if (name === mapName.value) pointsState.value = "failed";
    report(error);
  }
}

function startMorphs(): void {
  type Request = [number, number, Along, number];
  const morphs = new Latest<Request, Morphed>(
    (request) => api.morph(...request),
    (answer) => (morphed.value = answer),
    report,
  );
  effect(() => {
    const [a, b] = [first.value, second.value];
    const request: Request = [a ?? 0, b ?? 0, along.value, position.value];
    if (model.value && a !== null && b !== null && tab.value === "morph") morphs.push(request);
  });
}
