import { exportRows } from "../api";
import { categoryColour } from "../colours";
import { count, heading, number, unitSign } from "../format";
import { SelectionHistogram } from "../parts/Histogram";
import * as state from "../state";
import type { CategorySummary, Column, NumberSummary, SelectionSummary } from "../types";
import { isCurve, Pair, Picture } from "./Panels";

function Means({ summary }: { summary: SelectionSummary }) {
  const { mean_observed: before, mean_aligned: after, template } = summary;
  if (isCurve(before)) {
    return (
      <div class="charts">
        <Pair title="Mean" data={before} fit={after} names={["as observed", "aligned"]} testid="selection-means" />
        <Pair title="Mean, aligned" data={after} fit={template} names={["aligned", "template"]} testid="selection-template" />
      </div>
    );
  }
  return (
    <div class="panels is-three" data-testid="selection-means">
      <Picture title="Mean as observed" panel={before} testid="mean-observed" />
      <Picture title="Mean aligned" panel={after} testid="mean-aligned" />
      <Picture title="Template" panel={template} testid="mean-template" />
    </div>
  );
}

function Counts({ column, summary }: { column: Column; summary: CategorySummary }) {
  const entries = Object.entries(summary.counts).filter(([, n]) => n > 0);
  const total = entries.reduce((sum, [, n]) => sum + n, 0) || 1;
  const place = (name: string): number => {
    const index = column.categories?.indexOf(name) ?? -1;
    return index >= 0 ? index : Number(name) || 0;
  };
  return (
    <div class="counts">
      <h3>{heading(column.title)}</h3>
      <div class="stack" role="img" aria-label={entries.map(([name, n]) => `${name}: ${n}`).join(", ")}>
        {entries.map(([name, n]) => (
          <i style={{ width: `${(100 * n) / total}%`, background: categoryColour(place(name), state.theme.value) }} />
        ))}
      </div>
      <ul>
        {entries.sort((a, b) => b[1] - a[1]).slice(0, 8).map(([name, n]) => (
          <li><i style={{ background: categoryColour(place(name), state.theme.value) }} />{name} <b>{n}</b></li>
        ))}
      </ul>
    </div>
  );
}

function Numbers({ columns, summary, rows }: {
  columns: Column[];
  summary: SelectionSummary;
  rows: number[];
}) {
  return (
    <div class="wide" tabIndex={0} role="region" aria-label="Statistics of the selection">
      <table data-testid="statistics">
        <thead><tr><th scope="col">Column</th><th scope="col">mean</th><th scope="col">lowest</th><th scope="col">highest</th><th scope="col">spread</th></tr></thead>
        <tbody>
          {columns.map((column) => {
            const one = summary.columns[column.name] as NumberSummary;
            return (
              <tr>
                <th scope="row">{heading(column.title)} <small>{unitSign(column.unit)}</small></th>
                {[one.mean, one.low, one.high].map((value) => <td>{number(value)}</td>)}
                <td><SelectionHistogram name={column.name} title={column.title} rows={rows} /></td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p class="hint">Spread: the selection in blue, all samples in grey, each as high as its box.</p>
    </div>
  );
}

/** What the selected samples have in common, and their export. */
export function SelectionCard() {
  const rows = state.selection.value;
  const summary = state.selectionSummary.value;
  const columns = (state.model.value?.columns ?? []).filter((one) => summary && one.name in summary.columns);
  if (!rows.length) {
    return (
      <section class="card" aria-label="Selection">
        <h2>Selection</h2>
        <p class="hint">Nothing is selected. Choose “Lasso” above the map and drag around samples, or press values of the legend and “Select these”.</p>
      </section>
    );
  }
  const isCount = (one: Column): boolean => "counts" in (summary?.columns[one.name] ?? {});
  return (
    <section class="card" aria-label="Selection" data-testid="selection" data-n={rows.length}>
      <div class="bar">
        <h2 data-testid="selection-count">{count(rows.length, "sample")}</h2>
        <span class="grow" />
        <button type="button" onClick={() => exportRows(rows).catch(state.report)} data-testid="export">Export CSV</button>
        <button type="button" onClick={() => state.select([])} data-testid="clear">Clear</button>
      </div>
      {summary ? (
        <>
          <Means summary={summary} />
          {columns.filter(isCount).map((column) => (
            <Counts column={column} summary={summary.columns[column.name] as CategorySummary} />
          ))}
          <Numbers columns={columns.filter((one) => !isCount(one))} summary={summary} rows={rows} />
        </>
      ) : <p class="hint">Loading …</p>}
    </section>
  );
}
