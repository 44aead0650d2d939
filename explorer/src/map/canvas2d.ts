/** Points on a plain canvas, for browsers without WebGL 2: slower, the same picture. */

import { css } from "../colours";
import { pointOpacity, pointSize, type Camera } from "./camera";
import type { Look, Renderer } from "./renderer";

export class CanvasRenderer implements Renderer {
  private readonly context: CanvasRenderingContext2D | null;
  private points: Float32Array<ArrayBuffer> = new Float32Array();
  private look: Look | null = null;
  private order: Uint32Array = new Uint32Array();

  constructor(canvas: HTMLCanvasElement) {
    this.context = canvas.getContext("2d");
  }

  setPoints(points: Float32Array<ArrayBuffer>): void {
    this.points = points;
  }

  /** Sorts the rows by colour, dimmed ones first, so that colours change seldom. */
  setLook(look: Look): void {
    this.look = look;
    const key = (row: number): number => (look.dimmed[row] ? -10 : Math.floor(look.places[row]));
    this.order = Uint32Array.from(look.places, (_, row) => row).sort((a, b) => key(a) - key(b));
  }

  private colour(look: Look, row: number): string {
    if (look.dimmed[row]) return css(look.dim);
    return css(look.places[row] < 0 ? look.missing : look.palette[Math.floor(look.places[row])]);
  }

  draw(camera: Camera, ratio: number): void {
    const { context, look, points } = this;
    if (!context) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, camera.width, camera.height);
    if (!look || look.places.length !== points.length / 2) return;
    const n = points.length / 2;
    const [size, opacity] = [pointSize(n, camera), pointOpacity(n, camera)];
    let last = "";
    for (const row of this.order) {
      const [x, y] = camera.toScreen(points[2 * row], points[2 * row + 1]);
      if (x < -size || y < -size || x > camera.width + size || y > camera.height + size) continue;
      const colour = this.colour(look, row);
      if (colour !== last) context.fillStyle = last = colour;
      context.globalAlpha = look.dimmed[row] ? 0.45 * opacity : opacity;
      if (size < 4) context.fillRect(x - size / 2, y - size / 2, size, size);
      else {
        context.beginPath();
        context.arc(x, y, size / 2, 0, 2 * Math.PI);
        context.fill();
      }
    }
    context.globalAlpha = 1;
  }

  free(): void {
    this.order = new Uint32Array();
  }
}
