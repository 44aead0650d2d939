/** Points sorted into square cells, for quick searches of the nearest one. */
export class Grid {
  private readonly side: number;
  private readonly starts: Uint32Array;
  private readonly rows: Uint32Array;
  private readonly points: Float32Array;

  constructor(points: Float32Array) {
    this.points = points;
    const n = points.length / 2;
    this.side = Math.max(1, Math.min(512, Math.ceil(Math.sqrt(n / 2))));
    this.starts = new Uint32Array(this.side ** 2 + 1);
    const cells = new Uint32Array(n);
    for (let row = 0; row < n; row++) {
      cells[row] = this.cell(points[2 * row + 1]) * this.side + this.cell(points[2 * row]);
      this.starts[cells[row] + 1]++;
    }
    for (let i = 0; i < this.side ** 2; i++) this.starts[i + 1] += this.starts[i];
    const next = this.starts.slice();
    this.rows = new Uint32Array(n);
    for (let row = 0; row < n; row++) this.rows[next[cells[row]]++] = row;
  }

  private cell(coordinate: number): number {
    const place = Math.floor(((coordinate + 1) / 2) * this.side);
    return Math.min(this.side - 1, Math.max(0, place || 0));
  }

  /** The row nearest to a place, at most a radius away; null where there is none. */
  nearest(x: number, y: number, radius: number): number | null {
    let best: number | null = null;
    let least = radius * radius;
    const [left, right] = [this.cell(x - radius), this.cell(x + radius)];
    const [bottom, top] = [this.cell(y - radius), this.cell(y + radius)];
    for (let cy = bottom; cy <= top; cy++) {
      const [from, to] = [this.starts[cy * this.side + left], this.starts[cy * this.side + right + 1]];
      for (let i = from; i < to; i++) {
        const row = this.rows[i];
        const distance = (this.points[2 * row] - x) ** 2 + (this.points[2 * row + 1] - y) ** 2;
        if (distance <= least) [best, least] = [row, distance];
      }
    }
    return best;
  }
}

/** The nearest row that lies within 45 degrees of a direction; null where there is none. */
export function neighbourTowards(
  points: Float32Array, row: number, dx: number, dy: number,
): number | null {
  const [x, y] = [points[2 * row], points[2 * row + 1]];
  let best: number | null = null;
  let least = Infinity;
  for (let i = 0; i < points.length / 2; i++) {
    const [ex, ey] = [points[2 * i] - x, points[2 * i + 1] - y];
    const ahead = ex * dx + ey * dy;
    if (ahead <= 0 || ahead ** 2 * 2 < ex * ex + ey * ey) continue;
    const distance = ex * ex + ey * ey;
    if (distance < least && i !== row) [best, least] = [i, distance];
  }
  return best;
}

/** The rows inside a polygon, whose corners are pairs of world coordinates. */
export function rowsInside(points: Float32Array, corners: [number, number][]): number[] {
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [bottom, top] = [Math.min(...ys), Math.max(...ys)];
  const rows: number[] = [];
  for (let row = 0; row < points.length / 2; row++) {
    const [x, y] = [points[2 * row], points[2 * row + 1]];
    if (x < left || x > right || y < bottom || y > top) continue;
    let isInside = false;
    for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
      if (ys[i] > y !== ys[j] > y && x < ((xs[j] - xs[i]) * (y - ys[i])) / (ys[j] - ys[i]) + xs[i]) {
        isInside = !isInside;
      }
    }
    if (isInside) rows.push(row);
  }
  return rows;
}
