// The view of a sample in a notebook: five panels, and sliders that deform its template.

const PANELS = {
  observed: "Observed",
  aligned: "Aligned",
  template: "Template",
  reconstruction: "Reconstruction",
  residual: "Residual",
};

const SIGNS = { deg: "°", factor: "×" };

function node(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function line(time, values, [low, high]) {
  const place = (i) => {
    const x = (100 * (time[i] - time[0])) / (time[time.length - 1] - time[0] || 1);
    return `${x.toFixed(2)} ${(58 - (56 * (values[i] - low)) / (high - low || 1)).toFixed(2)}`;
  };
  let path = "";
  let isDrawing = false;
  values.forEach((value, i) => {
    if (value !== null) path += `${isDrawing ? "L" : "M"}${place(i)}`;
    isDrawing = value !== null;
  });
  return `<path d="${path}"/>`;
}

function spread(panel, range) {
  const values = panel.values.flat().filter((value) => value !== null);
  return [Math.min(range[0], ...values), Math.max(range[1], ...values)];
}

function show(place, panel, title, range) {
  if (typeof panel === "string") {
    place.replaceChildren(node("img", { src: panel, alt: title }));
    return;
  }
  const paths = panel.values.map((values) => line(panel.time, values, spread(panel, range)));
  place.innerHTML = `<svg viewBox="0 0 100 60" preserveAspectRatio="none" role="img"
    aria-label="${title}">${paths.join("")}</svg>`;
}

function figure(title) {
  const place = node("div", { class: "unwarp-panel" });
  return [place, node("figure", {}, place, node("figcaption", {}, title))];
}

function slider(factor, onInput) {
  const title = factor.title[0].toUpperCase() + factor.title.slice(1);
  const value = node("span");
  const input = node("input", { type: "range", min: factor.low, max: factor.high, step: "any" });
  if (factor.values) {
    const step = factor.values.length > 1 ? factor.values[1] - factor.values[0] : 1;
    input.step = step;
  }
  input.setAttribute("aria-label", title);
  const set = (number) => {
    input.value = number;
    value.textContent = Number(number).toPrecision(3) + (SIGNS[factor.unit] ?? ` ${factor.unit}`);
  };
  input.addEventListener("input", () => {
    set(input.value);
    onInput(factor.name, Number(input.value));
  });
  const label = node("label", {}, node("span", {}, title), value, input);
  return { label, set };
}

function render({ model, el }) {
  const facts = model.get("facts");
  const range = facts.value_range;
  el.classList.add("unwarp");

  const number = node("input", {
    type: "number", min: 0, max: facts.n_samples - 1, "aria-label": "Sample",
  });
  const words = node("span", { class: "unwarp-quiet" });
  number.addEventListener("change", () => {
    const index = Math.min(facts.n_samples - 1, Math.max(0, Math.round(Number(number.value))));
    model.set("index", index);
    model.save_changes();
  });
  el.append(node("div", { class: "unwarp-head" }, node("b", {}, "Sample"), number, words));

  const places = {};
  const panels = node("div", { class: "unwarp-panels" });
  for (const [name, title] of Object.entries(PANELS)) {
    const [place, whole] = figure(title);
    places[name] = place;
    panels.append(whole);
  }
  el.append(panels);

  const [deformed, wholeDeformed] = figure("Deformed template");
  const sliders = {};
  const column = node("div", { class: "unwarp-sliders" });
  const move = (name, value) => {
    model.set("deformation", { ...model.get("deformation"), [name]: value });
    model.save_changes();
  };
  for (const factor of facts.factors) {
    sliders[factor.name] = slider(factor, move);
    column.append(sliders[factor.name].label);
  }
  el.append(node("div", { class: "unwarp-decode" }, wholeDeformed, column));

  const showSample = () => {
    const view = model.get("view");
    number.value = view.index;
    const parts = [`of ${facts.n_samples}`];
    for (const name of ["label", "cluster"]) if (view[name] !== null) parts.push(`${name} ${view[name]}`);
    parts.push(`error ${Number(view.error).toPrecision(3)}`);
    words.textContent = parts.join(" · ");
    for (const [name, title] of Object.entries(PANELS)) show(places[name], view.panels[name], title, range);
  };
  const showSliders = () => {
    const deformation = model.get("deformation");
    for (const [name, one] of Object.entries(sliders)) if (name in deformation) one.set(deformation[name]);
  };
  const showDeformed = () => {
    show(deformed, model.get("rendering").reconstruction, "Deformed template", range);
  };
  const listeners = { view: showSample, deformation: showSliders, rendering: showDeformed };
  for (const [name, listener] of Object.entries(listeners)) {
    listener();
    model.on(`change:${name}`, listener);
  }
  return () => {
    for (const [name, listener] of Object.entries(listeners)) model.off(`change:${name}`, listener);
  };
}

export default { render };
