/** Marks over the points: the sample in view, its neighbours, A and B, the lasso. */

import { INK, type Theme } from "../colours";
import type { Camera } from "./camera";

export interface Marks {
  sample: number | null;
  hovered: number | null;
  neighbours: number[];
  first: number | null;
  second: number | null;
  lasso: [number, number][];
}

export function drawOverlay(
  context: CanvasRenderingContext2D, camera: Camera, ratio: number, points: Float32Array,
  marks: Marks, theme: Theme,
): void {
  const ink = INK[theme];
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, camera.width, camera.height);
  const place = (row: number): [number, number] =>
    camera.toScreen(points[2 * row], points[2 * row + 1]);
  const exists = (row: number | null): row is number => row !== null && 2 * row + 1 < points.length;

  function ring(row: number, radius: number, width: number, colour: string): void {
    context.beginPath();
    context.arc(...place(row), radius, 0, 2 * Math.PI);
    context.lineWidth = width + 2;
    context.strokeStyle = ink.paper;
    context.stroke();
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }

  function letter(row: number, text: string, colour: string): void {
    const [x, y] = place(row);
    context.beginPath();
    context.arc(x, y, 9, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = ink.paper;
    context.stroke();
    context.fillStyle = ink.paper;
    context.font = "700 11px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(text, x, y + 0.5);
  }

  marks.neighbours.filter(exists).forEach((row) => ring(row, 5, 1.2, ink.text));
  if (exists(marks.first) && exists(marks.second)) {
    context.beginPath();
    context.setLineDash([4, 4]);
    context.moveTo(...place(marks.first));
    context.lineTo(...place(marks.second));
    context.lineWidth = 1.5;
    context.strokeStyle = ink.text;
    context.stroke();
    context.setLineDash([]);
  }
  if (exists(marks.hovered)) ring(marks.hovered, 7, 1.5, ink.text);
  if (exists(marks.sample)) ring(marks.sample, 8, 2.5, ink.mark);
  if (exists(marks.first)) letter(marks.first, "A", ink.accent);
  if (exists(marks.second)) letter(marks.second, "B", ink.accent);
  if (marks.lasso.length > 1) {
    context.beginPath();
    marks.lasso.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
    context.globalAlpha = 0.12;
    context.fillStyle = ink.accent;
    context.fill();
    context.globalAlpha = 1;
    context.lineWidth = 1.5;
    context.strokeStyle = ink.accent;
    context.stroke();
  }
}
