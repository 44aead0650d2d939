import { useState } from "preact/hooks";
import { Segmented } from "../parts/Segmented";
import { LazyThumb } from "../parts/Thumb";
import * as state from "../state";
import { labelOf } from "../format";

function Row({ title, words, rows, isAligned, testid }: {
  title: string;
  words: string;
  rows: number[];
  isAligned: boolean;
  testid: string;
}) {
  return (
    <div class="neighbours" data-testid={testid}>
      <h3>{title}</h3>
      <p class="hint">{words}</p>
      <div class="thumbs">
        {rows.map((row) => (
          <button type="button" class="thumb" title={labelOf(row)} aria-label={`Go to sample ${row}`}
            onClick={() => state.showSample(row)} data-testid={`${testid}-${row}`}>
            <LazyThumb index={row} isAligned={isAligned} />
          </button>
        ))}
      </div>
    </div>
  );
}

/** The nearest samples by content beside the nearest by what was measured. */
export function NeighboursCard() {
  const [view, setView] = useState<"observed" | "aligned">("observed");
  const neighbours = state.shown.value?.neighbours;
  if (!neighbours?.content.length) return null;
  const pixels = state.model.value?.domain === "series" ? "values" : "pixels";
  return (
    <section class="card" aria-label="Neighbours">
      <div class="bar">
        <h2>Neighbours</h2>
        <span class="grow" />
        <Segmented label="Show as" testid="neighbour-view" value={view}
          options={[["observed", "Observed"], ["aligned", "Aligned"]]} onChange={setView} />
      </div>
      <div class="two">
        <Row title="In content" words="Alike once the deformation is undone." rows={neighbours.content}
          isAligned={view === "aligned"} testid="content-neighbour" />
        {neighbours.pixels.length > 0 && (
          <Row title={`In ${pixels}`} words="Alike as measured." rows={neighbours.pixels}
            isAligned={view === "aligned"} testid="pixel-neighbour" />
        )}
      </div>
    </section>
  );
}
