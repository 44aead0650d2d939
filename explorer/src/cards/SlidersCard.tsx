import { useState } from "preact/hooks";
import { heading, quantity, within } from "../format";
import { Histogram } from "../parts/Histogram";
import { Slider } from "../parts/Slider";
import * as state from "../state";
import type { ContentColumn, Factor, Rendered } from "../types";
import { isCurve, Pair, Picture, WarpChart } from "./Panels";

const MAX_CONTENT_AT_FIRST = 12;
const MAX_WIDE_FACTORS = 9;

function FactorRow({ factor }: { factor: Factor }) {
  const value = state.deformation.value[factor.name] ?? factor.identity;
  const rest = state.restingDeformation()[factor.name] ?? factor.identity;
  const mark = state.shown.value ? rest : null;
  const [low, high] = [Math.min(factor.low, rest), Math.max(factor.high, rest)];
  const steps = factor.values;
  const nearest = (target: number): number =>
    steps ? steps.reduce((a, b) => (Math.abs(b - target) < Math.abs(a - target) ? b : a)) : target;
  const hasHistogram = state.model.value?.columns.some((column) => column.name === factor.name);
  return (
    <div class="factor">
      <div class="name">
        <span>{heading(factor.title)}</span>
        <output data-testid={`value-${factor.name}`}>{quantity(value, factor.unit)}</output>
      </div>
      {hasHistogram && (
        <Histogram name={factor.name} title={factor.title} low={low} high={high} mark={mark} />
      )}
      <Slider
        label={heading(factor.title)}
        low={low}
        high={high}
        value={value}
        text={quantity(value, factor.unit)}
        testid={`slider-${factor.name}`}
        onInput={(next) => state.setDeformation(factor.name, nearest(next))}
        onReset={() => state.setDeformation(factor.name, rest)}
      />
    </div>
  );
}

function ContentRow({ column, index }: { column: ContentColumn; index: number }) {
  const value = state.content.value[index] ?? column.mean;
  const rest = state.restingContent()[index] ?? column.mean;
  const text = within(value, column.high - column.low);
  return (
    <div class="dimension">
      <div class="name">
        <span>{column.name.replace("content_", "")}</span>
        <output data-testid={`value-${column.name}`}>{text}</output>
      </div>
      <Slider
        label={`Content ${column.name}`}
        low={Math.min(column.low, rest)}
        high={Math.max(column.high, rest)}
        value={value}
        text={text}
        testid={`slider-${column.name}`}
        onInput={(next) => state.setContent(index, next)}
        onReset={() => state.setContent(index, rest)}
      />
    </div>
  );
}

function Decoded({ rendered }: { rendered: Rendered }) {
  if (isCurve(rendered.template)) {
    return (
      <div class="charts">
        <Pair title="Decoded" data={rendered.template} fit={rendered.reconstruction}
          names={["template", "reconstruction"]} testid="decoded" height={170} />
        {rendered.warp && <WarpChart warp={rendered.warp} testid="decoded-warp" height={170} />}
      </div>
    );
  }
  return (
    <div class="decoded" data-testid="decoded">
      <Picture title="Template" panel={rendered.template} testid="decoded-template" />
      <Picture title="Deformed" panel={rendered.reconstruction} testid="decoded-reconstruction" />
    </div>
  );
}

function setIdentity(): void {
  const factors = state.model.value?.factors ?? [];
  state.deformation.value = {
    ...state.deformation.value,
    ...Object.fromEntries(factors.map((factor) => [factor.name, factor.identity])),
  };
}

function Content({ columns }: { columns: ContentColumn[] }) {
  const [isAll, setAll] = useState(false);
  const shown = isAll ? columns : columns.slice(0, MAX_CONTENT_AT_FIRST);
  return (
    <>
      <h3>Content</h3>
      <div class="dimensions">
        {shown.map((column, i) => <ContentRow column={column} index={i} />)}
      </div>
      {columns.length > MAX_CONTENT_AT_FIRST && (
        <button type="button" class="quiet" onClick={() => setAll(!isAll)} aria-expanded={isAll} data-testid="all-content">
          {isAll ? "Show fewer" : `Show all ${columns.length}`}
        </button>
      )}
    </>
  );
}

/** A slider for every number of the model, and what the model makes of them at once. */
export function SlidersCard() {
  const model = state.model.value;
  if (!model) return null;
  const isSeries = model.domain === "series";
  return (
    <section class="card" aria-label="Decode" data-testid="sliders">
      <div class="bar">
        <h2>Decode</h2>
        <span class="grow" />
        <button type="button" onClick={setIdentity} data-testid="identity">Undo deformation</button>
        <button type="button" onClick={state.resetSliders} data-testid="reset">Reset</button>
      </div>
      <div class={isSeries ? "" : "beside"}>
        {state.rendered.value ? <Decoded rendered={state.rendered.value} /> : <div class="decoded" />}
        <div>
          {model.factors.length > 0 && <h3>Deformation</h3>}
          <div class={`factors ${model.factors.length > MAX_WIDE_FACTORS ? "is-compact" : ""}`}>
            {model.factors.map((factor) => <FactorRow factor={factor} />)}
          </div>
          <Content columns={model.content} />
        </div>
      </div>
    </section>
  );
}
