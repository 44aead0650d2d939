import { useEffect, useRef, useState } from "preact/hooks";
import { setToken } from "./api";
import { MapCard } from "./cards/MapCard";
import { MorphCard } from "./cards/MorphCard";
import { NeighboursCard } from "./cards/NeighboursCard";
import { SampleCard } from "./cards/SampleCard";
import { SelectionCard } from "./cards/SelectionCard";
import { SlidersCard } from "./cards/SlidersCard";
import { count } from "./format";
import { start } from "./start";
import * as state from "./state";
import type { Model } from "./types";

const ACCEPTED = ".png,.jpg,.jpeg,.csv,.npy";

function sizeOf(model: Model): string {
  const [channels, ...rest] = model.shape;
  const things = model.domain === "image" ? "picture" : "series";
  const n = count(model.n_samples, things, model.domain === "image" ? "pictures" : "series");
  const size = model.domain === "image" ? `${rest.join(" × ")} pixels` : `${rest[0]} time steps`;
  return `${n}, ${size}${channels > 1 ? `, ${channels} channels` : ""}`;
}

function Upload() {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" class="main" disabled={state.isUploading.value}
        onClick={() => input.current?.click()} data-testid="open-file">
        {state.isUploading.value ? "Aligning …" : "Open your own"}
      </button>
      <input ref={input} type="file" class="unseen" accept={ACCEPTED} tabIndex={-1}
        aria-label="A picture or a table of your own" data-testid="file"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          if (file) void state.openFile(file);
        }} />
    </>
  );
}

function ThemeSwitch() {
  const next = state.theme.value === "dark" ? "light" : "dark";
  return (
    <button type="button" class="icon" aria-label={`Switch to the ${next} theme`} title={`Switch to the ${next} theme`}
      onClick={() => {
        state.chosenTheme.value = next;
      }} data-testid="theme">
      <svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="7" /><path d="M10 3a7 7 0 0 1 0 14z" /></svg>
    </button>
  );
}

function Header() {
  const model = state.model.value;
  return (
    <header>
      <span class="word">Unwarp</span>
      {model && (
        <>
          <h1 class="cut" title={model.name}>{model.name}</h1>
          <span class="size">{model.n_samples ? sizeOf(model) : "no data"}</span>
        </>
      )}
      <span class="grow" />
      {model && <Upload />}
      <ThemeSwitch />
    </header>
  );
}

function Message() {
  const text = state.message.value;
  return (
    <div class="message-place" role="alert">
      {text && (
        <div class="message" data-testid="message">
          <span>{text}</span>
          <button type="button" class="icon" aria-label="Dismiss the message"
            onClick={() => {
              state.message.value = null;
            }} data-testid="dismiss">×</button>
        </div>
      )}
    </div>
  );
}

function TokenForm() {
  const [text, setText] = useState("");
  return (
    <form class="card token" onSubmit={(event) => {
      event.preventDefault();
      setToken(text);
      void start();
    }}>
      <h2>Token</h2>
      <p class="hint">Open the address that <code>unwarp explore</code> printed, or enter the token at its end.</p>
      <div class="joined">
        <input value={text} onInput={(event) => setText(event.currentTarget.value)} aria-label="Token"
          autocomplete="off" data-testid="token" />
        <button type="submit" class="main" data-testid="enter">Open</button>
      </div>
    </form>
  );
}

function Tabs() {
  const n = state.selection.value.length;
  const tabs: [state.Tab, string][] = [
    ["sample", "Sample"], ["selection", n ? `Selection (${n.toLocaleString("en")})` : "Selection"], ["morph", "Morph"],
  ];
  function onKeyDown(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const place = tabs.findIndex(([name]) => name === state.tab.value);
    state.tab.value = tabs[(place + step + tabs.length) % tabs.length][0];
    document.getElementById(`tab-${state.tab.value}`)?.focus();
  }
  return (
    <div class="tabs" role="tablist" aria-label="Views" onKeyDown={onKeyDown}>
      {tabs.map(([name, words]) => (
        <button type="button" role="tab" id={`tab-${name}`} aria-controls="view" aria-selected={state.tab.value === name}
          tabIndex={state.tab.value === name ? 0 : -1} data-testid={`tab-${name}`}
          onClick={() => {
            state.tab.value = name;
          }}>{words}</button>
      ))}
    </div>
  );
}

function View() {
  if (state.tab.value === "selection") return <SelectionCard />;
  if (state.tab.value === "morph") return <MorphCard />;
  return <><SampleCard /><SlidersCard /><NeighboursCard /></>;
}

function Explorer({ model }: { model: Model }) {
  if (!model.n_samples) {
    return (
      <main class="is-single">
        <p class="hint" data-testid="no-data">
          {model.notes.length ? model.notes.join(" ") : "The model has no data: only sliders and own samples work."}
        </p>
        <SampleCard />
        <SlidersCard />
      </main>
    );
  }
  return (
    <main>
      <div class="left"><MapCard /></div>
      <div class="right">
        <Tabs />
        <div id="view" role="tabpanel" aria-labelledby={`tab-${state.tab.value}`} class="view"><View /></div>
      </div>
    </main>
  );
}

/** Takes files dropped anywhere on the page. */
function useDrop(): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const abort = new AbortController();
    const on = (type: "dragover" | "dragleave" | "drop", handle: (event: DragEvent) => void): void =>
      window.addEventListener(type, handle, { signal: abort.signal });
    on("dragover", (event) => {
      event.preventDefault();
      setOver(true);
    });
    on("dragleave", (event) => {
      if (!event.relatedTarget) setOver(false);
    });
    on("drop", (event) => {
      event.preventDefault();
      setOver(false);
      const file = event.dataTransfer?.files[0];
      if (file) void state.openFile(file);
    });
    return () => abort.abort();
  }, []);
  return isOver;
}

export function Page() {
  const isOver = useDrop();
  const model = state.model.value;
  return (
    <>
      <Header />
      <Message />
      {state.needsToken.value && <main class="is-single"><TokenForm /></main>}
      {model && !state.needsToken.value && <Explorer model={model} />}
      {isOver && <div class="drop" data-testid="drop">Drop a picture or a table to align it</div>}
    </>
  );
}
