import type { Rgb } from "../colours";
import type { Camera } from "./camera";

/** How points look: a place in the palette each (negative: no value), and whether one is dimmed. */
export interface Look {
  places: Float32Array<ArrayBuffer>;
  dimmed: Uint8Array<ArrayBuffer>;
  palette: Rgb[];
  missing: Rgb;
  dim: Rgb;
}

/** Draws points on a canvas, or a random share of them while the map moves. */
export interface Renderer {
  setPoints(points: Float32Array<ArrayBuffer>): void;
  setLook(look: Look): void;
  draw(camera: Camera, ratio: number, share: number): void;
  free(): void;
}

export const DIMMED_OPACITY = 0.45;

export function colourOf(look: Look, row: number): Rgb {
  if (look.dimmed[row]) return look.dim;
  return look.places[row] < 0 ? look.missing : look.palette[Math.floor(look.places[row])];
}

/** Red, green, blue and opacity of each row. */
export function coloursOf(look: Look): Uint8Array<ArrayBuffer> {
  const n = look.places.length;
  const colours = new Uint8Array(4 * n);
  for (let row = 0; row < n; row++) {
    colours.set(colourOf(look, row), 4 * row);
    colours[4 * row + 3] = look.dimmed[row] ? 255 * DIMMED_OPACITY : 255;
  }
  return colours;
}

/** The numbers below n in an order that is random, but always the same. */
export function shuffled(n: number): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  let seed = 1;
  for (let i = n - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    const j = Math.floor((seed / 2 ** 32) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** The rows of an order, dimmed ones first, and how many those are. */
export function orderOf(
  order: Uint32Array, look: Look,
): { order: Uint32Array<ArrayBuffer>; nDimmed: number } {
  const sorted = new Uint32Array(order.length);
  let nDimmed = 0;
  for (const row of order) nDimmed += look.dimmed[row] ? 1 : 0;
  let [low, high] = [0, nDimmed];
  for (const row of order) sorted[look.dimmed[row] ? low++ : high++] = row;
  return { order: sorted, nDimmed };
}
