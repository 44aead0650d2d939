/**
 * The share of points that a moving map draws, so that it stays smooth on slow machines.
 *
 * Frames that follow one another too slowly halve the share. At rest everything is drawn again.
 */

const SLOW_FRAME_MS = 40;
const PAUSE_MS = 300;
const MIN_POINTS = 12_000;

export class Pace {
  private share = 1;
  private last = 0;
  private timer = 0;
  private readonly rest: () => void;

  constructor(rest: () => void) {
    this.rest = rest;
  }

  /** The share for a frame of a moving map with n points. */
  moving(n: number): number {
    const now = performance.now();
    const elapsed = now - this.last;
    this.last = now;
    if (elapsed > SLOW_FRAME_MS && elapsed < PAUSE_MS) this.share /= 2;
    this.share = Math.min(1, Math.max(this.share, MIN_POINTS / n));
    clearTimeout(this.timer);
    if (this.share < 1) this.timer = window.setTimeout(this.rest, PAUSE_MS);
    return this.share;
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
