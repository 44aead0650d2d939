import { Chart } from "../parts/Chart";
import { PanelView } from "../parts/Thumb";
import * as state from "../state";
import type { Curve, Panel, PanelName, Sample, WarpCurve } from "../types";

const TITLES: [PanelName, string][] = [
  ["observed", "Observed"],
  ["aligned", "Aligned"],
  ["template", "Template"],
  ["reconstruction", "Reconstruction"],
  ["residual", "Residual"],
];

export function Picture({ title, panel, testid }: { title: string; panel: Panel; testid: string }) {
  return (
    <figure class="panel" data-testid={testid}>
      <PanelView panel={panel} label={title} />
      <figcaption>{title}</figcaption>
    </figure>
  );
}

export function isCurve(panel: Panel | undefined): panel is Curve {
  return typeof panel === "object";
}

/** The values of the channel in view. */
export function channelOf(panel: Panel): (number | null)[] {
  if (!isCurve(panel)) return [];
  return panel.values[Math.min(state.channel.value, panel.values.length - 1)];
}

/** A title, with the unit of the values where there is one. */
function withUnit(title: string): string {
  const unit = state.model.value?.value_unit;
  return unit ? `${title} (${unit})` : title;
}

export function ChannelChoice() {
  const n = state.model.value?.shape[0] ?? 1;
  if (state.model.value?.domain !== "series" || n < 2) return null;
  return (
    <label class="field">
      <span>Channel</span>
      <select
        value={state.channel.value}
        onChange={(event) => {
          state.channel.value = Number(event.currentTarget.value);
        }}
        data-testid="channel"
      >
        {Array.from({ length: n }, (_, i) => <option value={i}>{i + 1}</option>)}
      </select>
    </label>
  );
}

export function WarpChart({ warp, testid, height }: { warp: WarpCurve; testid: string; height?: number }) {
  const unit = state.model.value?.time_unit ?? "";
  return (
    <Chart
      title="Warp"
      time={warp.time}
      unit={unit}
      height={height}
      testid={testid}
      lines={[
        { name: "template time", values: warp.template_time },
        { name: "no warp", values: warp.time, isQuiet: true },
      ]}
    />
  );
}

/** Two curves of the same time, one of them the model's. */
export function Pair({ title, data, fit, names, testid, height }: {
  title: string;
  data: Panel;
  fit: Panel;
  names: [string, string];
  testid: string;
  height?: number;
}) {
  if (!isCurve(data) || !isCurve(fit)) return null;
  return (
    <Chart
      title={withUnit(title)}
      time={data.time}
      unit={state.model.value?.time_unit ?? ""}
      height={height}
      testid={testid}
      lines={[
        { name: names[0], values: channelOf(data) },
        { name: names[1], values: channelOf(fit), isModel: true },
      ]}
    />
  );
}

function Curves({ sample }: { sample: Sample }) {
  const { observed, aligned, template, reconstruction, residual } = sample.panels;
  const unit = state.model.value?.time_unit ?? "";
  return (
    <div class="charts">
      <Pair title="As observed" data={observed} fit={reconstruction}
        names={["observed", "reconstruction"]} testid="panel-observed" />
      <Pair title="Aligned" data={aligned} fit={template}
        names={["aligned", "template"]} testid="panel-aligned" />
      {isCurve(residual) && (
        <Chart title={withUnit("Residual")} time={residual.time} unit={unit} testid="panel-residual"
          lines={[
            { name: "observed − reconstruction", values: channelOf(residual) },
            { name: "0", values: residual.time.map(() => 0), isQuiet: true },
          ]} />
      )}
      {sample.warp && <WarpChart warp={sample.warp} testid="panel-warp" />}
    </div>
  );
}

/** The five views of a sample: pictures in a row, or pairs of curves and the warp. */
export function Panels({ sample }: { sample: Sample }) {
  if (isCurve(sample.panels.observed)) return <Curves sample={sample} />;
  return (
    <div class="panels">
      {TITLES.map(([name, title]) => (
        <Picture title={title} panel={sample.panels[name]} testid={`panel-${name}`} />
      ))}
    </div>
  );
}
