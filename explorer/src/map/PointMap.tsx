/** The map itself: points below, marks above, and the sample under the pointer. */

import { useEffect, useRef, useState } from "preact/hooks";
import { effect } from "@preact/signals";
import * as state from "../state";
import { valueOf } from "../format";
import { LazyThumb } from "../parts/Thumb";
import { Camera } from "./camera";
import { CanvasRenderer } from "./canvas2d";
import { listen } from "./gestures";
import { Grid, neighbourTowards, rowsInside } from "./grid";
import { lookOf } from "./look";
import { drawOverlay } from "./overlay";
import { Pace } from "./pace";
import type { Renderer } from "./renderer";
import { WebglRenderer } from "./webgl";

const MOUSE_REACH_PX = 12;
const TOUCH_REACH_PX = 22;

export interface MapControl {
  zoom: (factor: number) => void;
  reset: () => void;
}

interface Hover {
  row: number;
  x: number;
  y: number;
}

interface Props {
  isLasso: boolean;
  control: { current: MapControl | null };
  onFallback: () => void;
}

/** Sets up renderer, gestures and redrawing on two canvases; returns what ends it. */
function install(
  base: HTMLCanvasElement, above: HTMLCanvasElement, frame: HTMLElement,
  isLasso: () => boolean, setHover: (hover: Hover | null) => void,
  control: Props["control"], onFallback: () => void,
): () => void {
  const camera = new Camera();
  const webgl = WebglRenderer.on(base);
  if (!webgl) onFallback();
  const renderer: Renderer = webgl ?? new CanvasRenderer(base);
  const context = above.getContext("2d") as CanvasRenderingContext2D;
  let [grid, hovered, lasso, waits, ratio] = [new Grid(new Float32Array()), -1, [] as [number, number][], 0, 1];

  let isMoving = false;
  const pace = new Pace(() => redraw());

  function draw(): void {
    waits = 0;
    renderer.draw(camera, ratio, isMoving ? pace.moving(state.points.peek().length / 2) : 1);
    isMoving = false;
    const marks = {
      sample: state.own.peek() ? null : state.sampleIndex.peek(),
      hovered: hovered < 0 ? null : hovered,
      neighbours: state.selection.peek().length ? [] : (state.shown.peek()?.neighbours.content ?? []),
      first: state.first.peek(), second: state.second.peek(), lasso,
    };
    drawOverlay(context, camera, ratio, state.points.peek(), marks, state.theme.peek());
    frame.dataset.frames = String(Number(frame.dataset.frames ?? 0) + 1);
  }
  const redraw = (): void => {
    waits ||= requestAnimationFrame(draw);
  };

  function resize(): void {
    const { width, height } = frame.getBoundingClientRect();
    ratio = Math.min(2, window.devicePixelRatio || 1);
    [camera.width, camera.height] = [Math.max(1, width), Math.max(1, height)];
    for (const canvas of [base, above]) {
      [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    }
    redraw();
  }

  function hover(at: [number, number] | null): void {
    const row = at ? grid.nearest(...camera.toWorld(...at), MOUSE_REACH_PX / camera.scale) : null;
    frame.style.cursor = row === null ? "" : "pointer";
    if (row === (hovered < 0 ? null : hovered)) return;
    hovered = row ?? -1;
    if (row === null) setHover(null);
    else {
      const [x, y] = camera.toScreen(state.points.peek()[2 * row], state.points.peek()[2 * row + 1]);
      setHover({ row, x, y });
    }
    redraw();
  }

  const stopGestures = listen(frame, camera, {
    isLasso,
    moved: () => {
      if (hovered >= 0) hover(null);
      isMoving = true;
      redraw();
    },
    hovered: hover,
    clicked: (at, isTouch) => {
      const reach = isTouch ? TOUCH_REACH_PX : MOUSE_REACH_PX;
      const row = grid.nearest(...camera.toWorld(...at), reach / camera.scale);
      if (row !== null) state.showSample(row);
    },
    lassoing: (corners) => {
      lasso = corners;
      redraw();
    },
    lassoed: (corners) => {
      const world = corners.map(([x, y]) => camera.toWorld(x, y));
      state.select(rowsInside(state.points.peek(), world));
    },
    walked: (dx, dy) => {
      const points = state.points.peek();
      const row = neighbourTowards(points, state.sampleIndex.peek() ?? 0, dx, dy);
      if (row === null) return;
      state.showSample(row);
      camera.reveal(points[2 * row], points[2 * row + 1]);
    },
    escaped: () => state.select([]),
  });
  control.current = {
    zoom: (factor) => {
      camera.zoomAt(factor);
      redraw();
    },
    reset: () => {
      camera.reset();
      redraw();
    },
  };
  const stops = [
    effect(() => {
      renderer.setPoints(state.points.value);
      grid = new Grid(state.points.value);
      redraw();
    }),
    effect(() => {
      renderer.setLook(lookOf(
        state.points.value.length / 2, state.colourColumn.value, state.colourValues.value,
        state.highlighted.value, state.selection.value, state.theme.value,
      ));
      redraw();
    }),
    effect(() => {
      void [state.shown.value, state.sampleIndex.value, state.first.value, state.second.value];
      redraw();
    }),
  ];
  const observer = new ResizeObserver(resize);
  observer.observe(frame);
  resize();
  return () => {
    observer.disconnect();
    stopGestures();
    pace.stop();
    stops.forEach((stop) => stop());
    renderer.free();
  };
}

export function PointMap({ isLasso, control, onFallback }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const base = useRef<HTMLCanvasElement>(null);
  const above = useRef<HTMLCanvasElement>(null);
  const mode = useRef(isLasso);
  mode.current = isLasso;
  const [hover, setHover] = useState<Hover | null>(null);

  useEffect(() => {
    const [a, b, c] = [base.current, above.current, frame.current];
    if (!a || !b || !c) return undefined;
    return install(a, b, c, () => mode.current, setHover, control, onFallback);
  }, []);

  const width = frame.current?.clientWidth ?? 0;
  const side = hover && hover.x > width / 2 ? { right: `${width - hover.x + 14}px` } : { left: `${(hover?.x ?? 0) + 14}px` };
  return (
    <div
      ref={frame}
      class={`map ${isLasso ? "is-lasso" : ""}`}
      data-testid="map"
      tabIndex={0}
      role="application"
      aria-label="Map of content codes. Arrow keys go to the next sample in a direction, plus and minus zoom, 0 shows everything."
    >
      <canvas ref={base} />
      <canvas ref={above} />
      {hover && (
        <div class="hover" style={{ ...side, top: `${Math.max(6, hover.y - 40)}px` }} data-testid="hover">
          <LazyThumb index={hover.row} />
          <div><span>Sample {hover.row}</span><span>{valueOf(hover.row)}</span></div>
        </div>
      )}
    </div>
  );
}
