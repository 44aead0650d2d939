/** Points on a plain canvas, for browsers without WebGL 2: slower, the same picture. */

import { css } from "../colours";
import { pointOpacity, pointSize, type Camera } from "./camera";
import { colourOf, DIMMED_OPACITY, orderOf, shuffled, type Look, type Renderer } from "./renderer";

export class CanvasRenderer implements Renderer {
  private readonly context: CanvasRenderingContext2D | null;
  private points: Float32Array<ArrayBuffer> = new Float32Array();
  private order: Uint32Array = new Uint32Array();
  private colours: string[] = [];
  private nDimmed = 0;

  constructor(canvas: HTMLCanvasElement) {
    this.context = canvas.getContext("2d");
  }

  setPoints(points: Float32Array<ArrayBuffer>): void {
    this.points = points;
  }

  setLook(look: Look): void {
    const { order, nDimmed } = orderOf(shuffled(look.places.length), look);
    [this.order, this.nDimmed] = [order, nDimmed];
    this.colours = Array.from(look.places, (_, row) => css(colourOf(look, row)));
  }

  draw(camera: Camera, ratio: number, share: number): void {
    const { context, order, nDimmed } = this;
    if (!context) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, camera.width, camera.height);
    if (order.length !== this.points.length / 2) return;
    const opacity = pointOpacity(order.length, camera);
    context.globalAlpha = DIMMED_OPACITY * opacity;
    this.dots(context, camera, order.subarray(0, Math.ceil(share * nDimmed)));
    context.globalAlpha = opacity;
    const n = Math.ceil(share * (order.length - nDimmed));
    this.dots(context, camera, order.subarray(nDimmed, nDimmed + n));
    context.globalAlpha = 1;
  }

  private dots(context: CanvasRenderingContext2D, camera: Camera, rows: Uint32Array): void {
    const size = pointSize(this.order.length, camera);
    for (const row of rows) {
      const [x, y] = camera.toScreen(this.points[2 * row], this.points[2 * row + 1]);
      if (x < -size || y < -size || x > camera.width + size || y > camera.height + size) continue;
      context.fillStyle = this.colours[row];
      if (size < 4) context.fillRect(x - size / 2, y - size / 2, size, size);
      else {
        context.beginPath();
        context.arc(x, y, size / 2, 0, 2 * Math.PI);
        context.fill();
      }
    }
  }

  free(): void {
    this.colours = [];
  }
}
