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

/** Draws points on a canvas. */
export interface Renderer {
  setPoints(points: Float32Array<ArrayBuffer>): void;
  setLook(look: Look): void;
  draw(camera: Camera, ratio: number): void;
  free(): void;
}
