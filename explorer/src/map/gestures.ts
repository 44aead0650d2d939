/** Pointers and keys on the map: pan, zoom, pinch, hover, click, lasso. */

import type { Camera } from "./camera";

const CLICK_PX = 4;
const KEY_ZOOM = 1.3;

export interface Gestures {
  isLasso: () => boolean;
  moved: () => void;
  hovered: (at: [number, number] | null) => void;
  clicked: (at: [number, number], isTouch: boolean) => void;
  lassoing: (corners: [number, number][]) => void;
  lassoed: (corners: [number, number][]) => void;
  walked: (dx: number, dy: number) => void;
  escaped: () => void;
}

/** Listens on an element; returns a function that ends it. */
export function listen(element: HTMLElement, camera: Camera, to: Gestures): () => void {
  const pointers = new Map<number, [number, number]>();
  let began: [number, number] = [0, 0];
  let isDragged = false;
  let corners: [number, number][] = [];
  const abort = new AbortController();
  const place = (event: PointerEvent | WheelEvent): [number, number] => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const on = <K extends keyof HTMLElementEventMap>(
    type: K, handle: (event: HTMLElementEventMap[K]) => void,
  ): void => element.addEventListener(type, handle, { signal: abort.signal, passive: false });

  on("pointerdown", (event) => {
    if (event.button !== 0) return;
    const at = place(event);
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at);
    [began, isDragged] = [at, pointers.size > 1];
    corners = to.isLasso() !== event.shiftKey && pointers.size === 1 ? [at] : [];
    to.hovered(null);
  });

  function pinch(event: PointerEvent, before: [number, number], at: [number, number]): void {
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1] ?? at;
    const apart = (p: [number, number]): number => Math.hypot(p[0] - other[0], p[1] - other[1]);
    camera.zoomAt(apart(at) / Math.max(1, apart(before)), (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
  }

  on("pointermove", (event) => {
    const at = place(event);
    const before = pointers.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== "touch") to.hovered(at);
      return;
    }
    isDragged ||= Math.hypot(at[0] - began[0], at[1] - began[1]) > CLICK_PX;
    pointers.set(event.pointerId, at);
    if (pointers.size > 1) pinch(event, before, at);
    else if (corners.length) {
      corners.push(at);
      to.lassoing(corners);
      return;
    } else if (isDragged) camera.pan(at[0] - before[0], at[1] - before[1]);
    to.moved();
  });

  on("pointerup", (event) => {
    if (!pointers.delete(event.pointerId)) return;
    if (isDragged && corners.length > 2) to.lassoed(corners);
    else if (!isDragged) to.clicked(place(event), event.pointerType === "touch");
    corners = [];
    to.lassoing([]);
  });
  on("pointercancel", (event) => {
    pointers.delete(event.pointerId);
    corners = [];
    to.lassoing([]);
  });
  on("pointerleave", () => to.hovered(null));
  on("wheel", (event) => {
    event.preventDefault();
    camera.zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...place(event));
    to.moved();
  });

  const keys: Record<string, () => void> = {
    ArrowLeft: () => to.walked(-1, 0),
    ArrowRight: () => to.walked(1, 0),
    ArrowUp: () => to.walked(0, 1),
    ArrowDown: () => to.walked(0, -1),
    "+": () => camera.zoomAt(KEY_ZOOM),
    "=": () => camera.zoomAt(KEY_ZOOM),
    "-": () => camera.zoomAt(1 / KEY_ZOOM),
    "0": () => camera.reset(),
    Escape: () => to.escaped(),
  };
  on("keydown", (event) => {
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
    to.moved();
  });
  return () => abort.abort();
}
