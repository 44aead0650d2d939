import { useState } from "preact/hooks";
import { heading, quantity } from "../format";
import { Histogram } from "../parts/Histogram";
import * as state from "../state";
import type { Column, Sample } from "../types";
import { ChannelChoice, Panels } from "./Panels";

const MAX_BESIDE_FACTS = 2;

/** Columns of numbers that no slider shows. */
function otherColumns(): Column[] {
  const factors = new Set(state.model.value?.factors.map((factor) => factor.name));
  return (state.model.value?.columns ?? []).filter((one) => one.type === "number" && !factors.has(one.name));
}

function Facts({ sample }: { sample: Sample }) {
  const facts: [string, string][] = [];
  if (sample.id !== null && sample.id !== String(sample.index)) facts.push(["id", sample.id]);
  if (sample.label !== null) facts.push(["label", sample.label]);
  if (sample.cluster !== null) facts.push(["cluster", sample.cluster]);
  return (
    <dl class="facts" data-testid="facts">
      {facts.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Where a sample stands in the collection: a histogram of each column, with a mark. */
function Standing({ sample }: { sample: Sample }) {
  const columns = otherColumns();
  return (
    <div class={`factors standing ${columns.length > MAX_BESIDE_FACTS ? "is-below" : ""}`}>
      {columns.map((column) => {
        const value = sample.columns[column.name] ?? null;
        return (
          <div>
            <div class="name">
              <span>{heading(column.title)}</span>
              <span class="value" data-testid={`standing-${column.name}`}>{quantity(value, column.unit)}</span>
            </div>
            <Histogram name={column.name} title={column.title} low={column.low ?? 0} high={column.high ?? 1} mark={value} />
          </div>
        );
      })}
    </div>
  );
}

function NumberField() {
  const [text, setText] = useState<string | null>(null);
  const n = state.model.value?.n_samples ?? 0;
  return (
    <form
      class="joined"
      onSubmit={(event) => {
        event.preventDefault();
        if (text !== null && text.trim()) state.showSample(Number(text));
        setText(null);
      }}
    >
      <button type="button" aria-label="Previous sample" onClick={() => state.stepSample(-1)} data-testid="previous">‹</button>
      <input
        inputMode="numeric"
        aria-label={`Number of the sample, from 0 to ${n - 1}`}
        value={text ?? String(state.sampleIndex.value ?? "")}
        onInput={(event) => setText(event.currentTarget.value)}
        onBlur={() => setText(null)}
        data-testid="sample-number"
      />
      <button type="button" aria-label="Next sample" onClick={() => state.stepSample(1)} data-testid="next">›</button>
    </form>
  );
}

function startMorph(end: "a" | "b"): void {
  (end === "a" ? state.first : state.second).value = state.sampleIndex.value;
}

function OwnTitle() {
  const own = state.own.value;
  if (!own) return null;
  return (
    <>
      <h2 class="cut" data-testid="own-title">{own.name}</h2>
      {own.samples.length > 1 && (
        <span class="joined">
          <button type="button" aria-label="Previous of the file" onClick={() => state.stepOwn(-1)} data-testid="own-previous">‹</button>
          <span class="place">{own.place + 1} / {own.samples.length}</span>
          <button type="button" aria-label="Next of the file" onClick={() => state.stepOwn(1)} data-testid="own-next">›</button>
        </span>
      )}
      <span class="grow" />
      {(state.model.value?.n_samples ?? 0) > 0 && (
        <button type="button" onClick={state.closeOwn} data-testid="own-close">Back to the collection</button>
      )}
    </>
  );
}

/** One sample: where it stands in the collection, and the model's five views of it. */
export function SampleCard() {
  const sample = state.shown.value;
  const hasData = (state.model.value?.n_samples ?? 0) > 0;
  if (!sample && !hasData) return null;
  return (
    <section class="card" aria-label="Sample" data-testid="sample-card" data-index={sample?.index ?? ""}>
      <div class="bar">
        {state.own.value ? <OwnTitle /> : (
          <>
            <h2>Sample</h2>
            <NumberField />
            <span class="grow" />
            <ChannelChoice />
            <span class="joined">
              <span class="place">Morph</span>
              <button type="button" aria-pressed={state.first.value === state.sampleIndex.value}
                aria-label="Take this sample as A" onClick={() => startMorph("a")} data-testid="set-a">A</button>
              <button type="button" aria-pressed={state.second.value === state.sampleIndex.value}
                aria-label="Take this sample as B" onClick={() => startMorph("b")} data-testid="set-b">B</button>
            </span>
          </>
        )}
      </div>
      {sample ? <><Panels sample={sample} /><div class="about"><Facts sample={sample} /><Standing sample={sample} /></div></> : <p class="hint">Loading …</p>}
    </section>
  );
}
