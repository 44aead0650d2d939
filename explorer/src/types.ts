/** What the explorer's server sends: see its document at /v1/openapi.json. */

export interface Curve {
  time: number[];
  values: (number | null)[][];
}

/** A picture as a data URI, or the curves of a series. */
export type Panel = string | Curve;

export interface WarpCurve {
  time: number[];
  template_time: number[];
}

export interface ContentColumn {
  name: string;
  low: number;
  high: number;
  mean: number;
}

export interface Factor {
  name: string;
  title: string;
  unit: string;
  low: number;
  high: number;
  identity: number;
  periodic: boolean;
  values: number[] | null;
}

export interface Column {
  name: string;
  title: string;
  type: "category" | "number";
  unit: string;
  categories: string[] | null;
  low: number | null;
  high: number | null;
}

export interface Model {
  name: string;
  version: string;
  domain: "image" | "series";
  shape: number[];
  n_samples: number;
  sampling_rate: number | null;
  time_unit: string;
  value_unit: string;
  value_range: [number, number];
  content: ContentColumn[];
  factors: Factor[];
  maps: string[];
  columns: Column[];
  clusters: number | null;
  notes: string[];
}

export type PanelName = "observed" | "aligned" | "template" | "reconstruction" | "residual";
export type Deformation = Record<string, number>;

export interface Sample {
  index: number | null;
  id: string | null;
  label: string | null;
  cluster: string | null;
  error: number | null;
  content: number[];
  deformation: Deformation;
  columns: Record<string, number | null>;
  panels: Record<PanelName, Panel>;
  warp: WarpCurve | null;
  neighbours: { content: number[]; pixels: number[] };
}

export interface Thumbnail {
  index: number;
  observed: Panel;
  aligned: Panel;
}

export interface Rendered {
  template: Panel;
  reconstruction: Panel;
  warp: WarpCurve | null;
  seconds?: number;
}

export interface Morphed extends Rendered {
  content: number[];
  deformation: Deformation;
}

export type Along = "content" | "deformation" | "both";

export interface NumberSummary {
  mean: number | null;
  low: number | null;
  high: number | null;
}

export interface CategorySummary {
  counts: Record<string, number>;
}

export interface SelectionSummary {
  n: number;
  mean_observed: Panel;
  mean_aligned: Panel;
  template: Panel;
  columns: Record<string, NumberSummary | CategorySummary>;
}

export interface Histogram {
  edges?: number[];
  categories?: string[];
  counts: number[];
}
