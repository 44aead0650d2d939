/** The part of the map in view: world coordinates in [-1, 1], y up; screen in CSS pixels, y down. */
export class Camera {
  width = 1;
  height = 1;
  x = 0;
  y = 0;
  zoom = 1;

  static readonly MIN_ZOOM = 0.5;
  static readonly MAX_ZOOM = 400;

  /** Pixels a unit of the world. */
  get scale(): number {
    return 0.47 * Math.min(this.width, this.height) * this.zoom;
  }

  toScreen(x: number, y: number): [number, number] {
    return [
      this.width / 2 + (x - this.x) * this.scale,
      this.height / 2 - (y - this.y) * this.scale,
    ];
  }

  toWorld(px: number, py: number): [number, number] {
    return [
      this.x + (px - this.width / 2) / this.scale,
      this.y - (py - this.height / 2) / this.scale,
    ];
  }

  pan(dx: number, dy: number): void {
    this.x -= dx / this.scale;
    this.y += dy / this.scale;
    this.x = Math.min(1.5, Math.max(-1.5, this.x));
    this.y = Math.min(1.5, Math.max(-1.5, this.y));
  }

  /** Zooms by a factor and keeps a place of the screen where it is. */
  zoomAt(factor: number, px = this.width / 2, py = this.height / 2): void {
    const [x, y] = this.toWorld(px, py);
    this.zoom = Math.min(Camera.MAX_ZOOM, Math.max(Camera.MIN_ZOOM, this.zoom * factor));
    const [newX, newY] = this.toWorld(px, py);
    this.x += x - newX;
    this.y += y - newY;
  }

  reset(): void {
    this.x = 0;
    this.y = 0;
    this.zoom = 1;
  }

  /** Moves a point into view where it is outside. */
  reveal(x: number, y: number): void {
    const [px, py] = this.toScreen(x, y);
    const isInside = px > 12 && py > 12 && px < this.width - 12 && py < this.height - 12;
    if (!isInside) [this.x, this.y] = [x, y];
  }
}

/** The diameter of a point in CSS pixels: smaller for many points, larger when zoomed in. */
export function pointSize(n: number, camera: Camera): number {
  const area = camera.width * camera.height;
  const size = Math.sqrt((0.3 * area) / Math.max(n, 1));
  const base = Math.min(9, Math.max(2.4, size));
  return Math.min(16, base * Math.max(1, camera.zoom) ** 0.3);
}

export function pointOpacity(n: number, camera: Camera): number {
  const base = n > 50_000 ? 0.55 : n > 5_000 ? 0.72 : 0.88;
  return Math.min(0.95, base * Math.max(1, camera.zoom) ** 0.15);
}
