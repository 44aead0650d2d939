/** Calls of the explorer's server, with its token and its plain errors. */

import type {
  Along, Deformation, Histogram, Model, Morphed, Rendered, Sample, SelectionSummary, Thumbnail,
} from "./types";

const TOKEN_NAME = "unwarp-token";

/** An answer of the server that is an error, in its own words. */
export class ServerError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Keeps the token of the address for this tab, and takes it out of the address. */
export function keepToken(): void {
  const query = new URLSearchParams(location.search);
  const token = query.get("token");
  if (!token) return;
  sessionStorage.setItem(TOKEN_NAME, token);
  query.delete("token");
  const rest = query.size ? `?${query}` : "";
  history.replaceState(null, "", location.pathname + rest + location.hash);
}

export function setToken(token: string): void {
  sessionStorage.setItem(TOKEN_NAME, token.trim());
}

async function messageOf(response: Response): Promise<string> {
  try {
    const { error } = (await response.json()) as { error?: string };
    if (error) return error;
  } catch {
    // the answer is no JSON: its status has to do
  }
  return `The server answered ${response.status}. Its terminal may say more.`;
}

async function request(path: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = {
    Authorization: `Bearer ${sessionStorage.getItem(TOKEN_NAME) ?? ""}`,
  };
  const init: RequestInit = { headers };
  if (body !== undefined) {
    init.method = "POST";
    if (body instanceof FormData) init.body = body;
    else {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(body);
    }
  }
  let response: Response;
  try {
    response = await fetch(`v1/${path}`, init);
  } catch {
    throw new ServerError(0, "The server does not answer. Is `unwarp explore` still running?");
  }
  if (!response.ok) throw new ServerError(response.status, await messageOf(response));
  return response;
}

async function json<T>(path: string, body?: unknown): Promise<T> {
  return (await (await request(path, body)).json()) as T;
}

async function floats(response: Response): Promise<Float32Array<ArrayBuffer>> {
  return new Float32Array(await response.arrayBuffer());
}

export const getModel = (): Promise<Model> => json("model");
export const getSample = (index: number): Promise<Sample> => json(`samples/${index}`);

/** The points of a map, or null while the server still computes them. */
export async function getPoints(map: string): Promise<Float32Array<ArrayBuffer> | null> {
  const response = await request(`points?map=${encodeURIComponent(map)}`);
  return response.status === 202 ? null : floats(response);
}

export const getColumn = async (name: string): Promise<Float32Array<ArrayBuffer>> =>
  floats(await request(`columns/${encodeURIComponent(name)}`));

export const getHistogram = (name: string): Promise<Histogram> =>
  json(`histogram/${encodeURIComponent(name)}`);

export const getThumbnails = (rows: number[]): Promise<Thumbnail[]> =>
  json(`thumbnails?rows=${rows.join(",")}`);

export const render = (content: number[], deformation: Deformation): Promise<Rendered> =>
  json("render", { content, deformation });

export const morph = (from: number, to: number, along: Along, position: number): Promise<Morphed> =>
  json("morph", { from, to, along, position });

export const summarise = (rows: number[]): Promise<SelectionSummary> => json("selection", { rows });

export async function alignFile(file: File): Promise<Sample[]> {
  const form = new FormData();
  form.append("file", file);
  return (await json<{ samples: Sample[] }>("align", form)).samples;
}

/** Downloads the rows of a selection as CSV. */
export async function exportRows(rows: number[]): Promise<void> {
  const blob = await (await request("export", { rows })).blob();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = "unwarp-selection.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
