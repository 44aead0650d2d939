/** The order in which the page opens: address, model, sample, sliders, then whatever follows. */

import { applyRows, applySliders, decode, startHash } from "./hash";
import * as state from "./state";

/** Resolves once the sample of the address is there, or has failed. */
function sampleOf(index: number): Promise<void> {
  return new Promise((resolve) => {
    const stop = [state.sample, state.message].map((signal) =>
      signal.subscribe(() => {
        if (state.sample.value?.index !== index && state.message.value === null) return;
        queueMicrotask(() => stop.forEach((end) => end()));
        resolve();
      }),
    );
  });
}

async function open(hash: string): Promise<void> {
  state.message.value = null;
  const pairs = decode(hash);
  applyRows(pairs);
  if (state.sampleIndex.value === null && state.model.value?.n_samples) state.showSample(0);
  if (state.sampleIndex.value !== null) await sampleOf(state.sampleIndex.value);
  state.resetSliders();
  applySliders(pairs);
}

let isStarted = false;

/** Opens the page from its address; called again when a token was entered. */
export async function start(): Promise<void> {
  state.message.value = null;
  decode(location.hash);
  try {
    await state.loadModel();
  } catch (error) {
    state.report(error);
    return;
  }
  if (!isStarted) state.startEffects();
  await open(location.hash);
  if (isStarted) return;
  isStarted = true;
  startHash((hash) => void open(hash));
}
