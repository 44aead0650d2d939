import { useRef, useState } from "preact/hooks";
import { categoryColour, numberGradient, MISSING } from "../colours";
import { count, heading, quantity } from "../format";
import { colourRange } from "../map/look";
import { PointMap, type MapControl } from "../map/PointMap";
import { Segmented } from "../parts/Segmented";
import * as state from "../state";
import type { Column } from "../types";

const MAP_TITLES: Record<string, string> = { pca: "PCA", tsne: "t-SNE" };

function toggle(index: number): void {
  const next = new Set(state.highlighted.value);
  if (!next.delete(index)) next.add(index);
  state.highlighted.value = next;
}

function selectHighlighted(): void {
  const values = state.colourValues.value ?? new Float32Array();
  const rows: number[] = [];
  values.forEach((value, row) => {
    if (state.highlighted.value.has(value)) rows.push(row);
  });
  state.highlighted.value = new Set();
  state.select(rows);
}

function Categories({ categories, title }: { categories: string[]; title: string }) {
  const highlighted = state.highlighted.value;
  return (
    <div class="categories" role="group" aria-label={`${title}: press a value to highlight it`}>
      {categories.map((name, i) => (
        <button
          type="button"
          class={`chip ${highlighted.has(i) ? "is-on" : ""}`}
          aria-pressed={highlighted.has(i)}
          onClick={() => toggle(i)}
          data-testid={`legend-${i}`}
        >
          <i style={{ background: categoryColour(i, state.theme.value) }} />
          {name}
        </button>
      ))}
      {highlighted.size > 0 && (
        <button type="button" class="quiet" onClick={selectHighlighted} data-testid="select-highlighted">
          Select these
        </button>
      )}
    </div>
  );
}

function Legend({ column }: { column: Column }) {
  const values = state.colourValues.value;
  if (!values) return <div class="legend quiet-text">Loading {column.title} …</div>;
  const isPartial = values.some((value) => !Number.isFinite(value));
  const [low, high] = column.categories ? [0, 1] : colourRange(values);
  return (
    <div class="legend" data-testid="legend">
      {column.categories ? (
        <Categories categories={column.categories} title={column.title} />
      ) : (
        <div class="ramp">
          <span>{quantity(low, column.unit)}</span>
          <i style={{ background: numberGradient(state.theme.value) }} />
          <span>{quantity(high, column.unit)}</span>
        </div>
      )}
      {isPartial && <span class="missing"><i style={{ background: MISSING }} />no value</span>}
    </div>
  );
}

function Waiting() {
  const words = {
    loading: "Loading the map …",
    computing: `The ${MAP_TITLES[state.mapName.value] ?? state.mapName.value} map is being computed. Everything else works meanwhile.`,
    failed: "This map could not be loaded.",
    ready: "",
  }[state.pointsState.value];
  if (!words) return null;
  return (
    <div class="over" role="status" data-testid="map-state">
      {state.pointsState.value !== "failed" && <i class="spinner" />}
      {words}
    </div>
  );
}

function setColour(name: string): void {
  state.highlighted.value = new Set();
  state.colourName.value = name;
}

function Zoom({ control }: { control: { current: MapControl | null } }) {
  return (
    <div class="zoom">
      <button type="button" aria-label="Zoom in" onClick={() => control.current?.zoom(1.4)} data-testid="zoom-in">+</button>
      <button type="button" aria-label="Zoom out" onClick={() => control.current?.zoom(1 / 1.4)} data-testid="zoom-out">−</button>
      <button type="button" aria-label="Show everything" title="Show everything" onClick={() => control.current?.reset()} data-testid="zoom-reset">
        <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4" /></svg>
      </button>
    </div>
  );
}

/** The map of codes with its choices above and its legend below. */
export function MapCard() {
  const [isLasso, setLasso] = useState(false);
  const [isFallback, setFallback] = useState(false);
  const control = useRef<MapControl | null>(null);
  const model = state.model.value;
  if (!model) return null;
  const column = state.colourColumn.value;
  return (
    <section class="card map-card" aria-label="Map">
      <div class="bar">
        <Segmented
          label="Map"
          testid="map-kind"
          value={state.mapName.value}
          options={model.maps.map((name) => [name, MAP_TITLES[name] ?? name])}
          onChange={(name) => {
            state.mapName.value = name;
          }}
        />
        <label class="field">
          <span>Colour</span>
          <select
            value={state.colourName.value ?? ""}
            onChange={(event) => setColour(event.currentTarget.value)}
            data-testid="colour"
          >
            {!model.columns.length && <option value="">none</option>}
            {model.columns.map((one) => <option value={one.name}>{heading(one.title)}</option>)}
          </select>
        </label>
        <span class="grow" />
        <Segmented
          label="What dragging does"
          testid="tool"
          value={isLasso ? "lasso" : "pan"}
          options={[["pan", "Move"], ["lasso", "Lasso"]]}
          onChange={(tool) => setLasso(tool === "lasso")}
        />
      </div>
      <div class={`map-frame ${state.pointsState.value === "ready" ? "" : "is-waiting"}`}>
        <PointMap isLasso={isLasso} control={control} onFallback={() => setFallback(true)} />
        <Zoom control={control} />
        <Waiting />
      </div>
      {column && <Legend column={column} />}
      <p class="hint">
        {isFallback && <span data-testid="no-webgl">This browser has no WebGL 2: the map is drawn more slowly. </span>}
        {state.selection.value.length > 0
          ? `${count(state.selection.value.length, "sample")} selected.`
          : isLasso
            ? "Drag around samples to select them."
            : "Click a sample to look at it. Scroll to zoom. Shift and drag to select."}
      </p>
    </section>
  );
}
