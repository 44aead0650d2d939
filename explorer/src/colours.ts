/** Palettes that colour-blind people can read, and the colours of both themes. */

/** Okabe and Ito (2008) without black, then darker and lighter shades for further categories. */
const OKABE_ITO = [
  "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800",
];
const MORE = {
  light: ["#7a5195", "#5c4a00", "#00574a", "#8f3b00", "#1d3a63", "#8a2c5c"],
  dark: ["#b79ad6", "#efe3a0", "#8fe0cc", "#ffb59a", "#c3dcf5", "#f4c6dd"],
};
export const MISSING = "#8a93a3";

/** Viridis at 9 even places (Smith and van der Walt, 2015). */
const VIRIDIS = [
  "#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725",
];

/** Ends that would vanish on the paper of a theme are left out. */
const VISIBLE = { light: [0, 0.93], dark: [0.17, 1] } as const;

export type Theme = "light" | "dark";
export type Rgb = [number, number, number];

export function rgb(hex: string): Rgb {
  const number = Number.parseInt(hex.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

export function css([r, g, b]: Rgb): string {
  return `rgb(${r} ${g} ${b})`;
}

/** The colour of a category; after 13 of them the colours repeat. */
export function categoryColour(index: number, theme: Theme): string {
  const all = [...OKABE_ITO, ...MORE[theme]];
  return all[index % all.length];
}

/** The colour of a number at a place in [0, 1]. */
export function numberColour(place: number, theme: Theme): Rgb {
  const [low, high] = VISIBLE[theme];
  const x = (low + Math.min(1, Math.max(0, place)) * (high - low)) * (VIRIDIS.length - 1);
  const i = Math.min(VIRIDIS.length - 2, Math.floor(x));
  const [a, b] = [rgb(VIRIDIS[i]), rgb(VIRIDIS[i + 1])];
  return [0, 1, 2].map((c) => Math.round(a[c] + (x - i) * (b[c] - a[c]))) as Rgb;
}

export const PALETTE_SIZE = 256;

/** 256 colours that points look up: categories repeat, numbers run from low to high. */
export function palette(categories: number | null, theme: Theme): Rgb[] {
  return Array.from({ length: PALETTE_SIZE }, (_, i) =>
    categories === null ? numberColour(i / (PALETTE_SIZE - 1), theme) : rgb(categoryColour(i, theme)),
  );
}

export function numberGradient(theme: Theme): string {
  const stops = Array.from({ length: 9 }, (_, i) => css(numberColour(i / 8, theme)));
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

/** Colours that canvases need, since they read no style sheet. */
export const INK = {
  light: {
    text: "#20242c", quiet: "#5b6472", line: "#e4e7ec", accent: "#2f6299", mark: "#b83a25",
    paper: "#ffffff", first: "#2f6299", second: "#c8452f", dim: "#c9ced6",
  },
  dark: {
    text: "#e6e9ee", quiet: "#a0a9b8", line: "#333a46", accent: "#8bbcf0", mark: "#ff9f7f",
    paper: "#1b1f26", first: "#8bbcf0", second: "#ff9070", dim: "#454c58",
  },
} as const;
