import { useEffect, useState } from "preact/hooks";
import type { Signal } from "@preact/signals";
import { LazyThumb } from "../parts/Thumb";
import { Segmented } from "../parts/Segmented";
import { Slider } from "../parts/Slider";
import * as state from "../state";
import type { Along } from "../types";
import { isCurve, Pair, Picture, WarpChart } from "./Panels";

const SECONDS_ACROSS = 2.5;
const FRAME_MS = 40;

function End({ name, end }: { name: "A" | "B"; end: Signal<number | null> }) {
  const testid = `end-${name.toLowerCase()}`;
  return (
    <div class="end">
      {end.value === null ? <span class="picture is-empty" /> : (
        <button type="button" class="thumb" aria-label={`Go to sample ${end.value}`} data-testid={`${testid}-go`}
          onClick={() => end.value !== null && state.showSample(end.value)}>
          <LazyThumb index={end.value} />
        </button>
      )}
      <span><b>{name}</b> {end.value === null ? "not chosen" : `sample ${end.value}`}</span>
      <button type="button" disabled={state.sampleIndex.value === null} data-testid={testid}
        onClick={() => {
          end.value = state.sampleIndex.value;
        }}>
        Take sample {state.sampleIndex.value}
      </button>
    </div>
  );
}

/** Moves the position to and fro until it is stopped. */
function usePlay(isPlaying: boolean): void {
  useEffect(() => {
    if (!isPlaying) return undefined;
    let way = state.position.peek() >= 1 ? -1 : 1;
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      const next = state.position.peek() + (way * (now - last)) / (1000 * SECONDS_ACROSS);
      last = now;
      if (next >= 1 || next <= 0) way = next >= 1 ? -1 : 1;
      state.position.value = Math.min(1, Math.max(0, next));
    }, FRAME_MS);
    return () => clearInterval(timer);
  }, [isPlaying]);
}

function Result() {
  const morphed = state.morphed.value;
  if (!morphed) return <p class="hint">Loading …</p>;
  if (isCurve(morphed.template)) {
    return (
      <div class="charts" data-testid="morphed">
        <Pair title="Between A and B" data={morphed.template} fit={morphed.reconstruction}
          names={["template", "reconstruction"]} testid="morphed-pair" height={180} />
        {morphed.warp && <WarpChart warp={morphed.warp} testid="morphed-warp" height={180} />}
      </div>
    );
  }
  return (
    <div class="panels is-two" data-testid="morphed">
      <Picture title="Template" panel={morphed.template} testid="morphed-template" />
      <Picture title="Deformed" panel={morphed.reconstruction} testid="morphed-reconstruction" />
    </div>
  );
}

/** A path from one sample to another, through content, deformation or both. */
export function MorphCard() {
  const [isPlaying, setPlaying] = useState(false);
  const hasBoth = state.first.value !== null && state.second.value !== null;
  usePlay(isPlaying && hasBoth);
  return (
    <section class="card" aria-label="Morph" data-testid="morph">
      <div class="bar">
        <h2>Morph</h2>
        <span class="grow" />
        <Segmented label="What changes from A to B" testid="along" value={state.along.value}
          options={[["content", "Content"], ["deformation", "Deformation"], ["both", "Both"]]}
          onChange={(next: Along) => {
            state.along.value = next;
          }} />
      </div>
      <div class="ends">
        <End name="A" end={state.first} />
        <End name="B" end={state.second} />
      </div>
      {hasBoth ? (
        <>
          <Result />
          <div class="play">
            <button type="button" aria-pressed={isPlaying} onClick={() => setPlaying(!isPlaying)} data-testid="play">
              {isPlaying ? "Pause" : "Play"}
            </button>
            <span>A</span>
            <Slider label="Position from A to B" low={0} high={1} value={state.position.value}
              text={`${Math.round(100 * state.position.value)} %`} testid="position"
              onInput={(next) => {
                state.position.value = next;
              }}
              onReset={() => {
                state.position.value = 0.5;
              }} />
            <span>B</span>
          </div>
        </>
      ) : <p class="hint">Choose two samples: go to one, take it as A, go to another, take it as B.</p>}
    </section>
  );
}
