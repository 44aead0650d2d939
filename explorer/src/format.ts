/** Numbers and names as people read them. */

import * as state from "./state";

const UNITS: Record<string, string> = { deg: "°", degrees: "°", factor: "×", px: " px", s: " s" };

/** A number with three significant digits and a true minus sign. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size > 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1).replace("-", "−");
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/** A number with as many digits as a range of this width needs. */
export function within(value: number, width: number): string {
  const digits = Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(width || 1))));
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/** The sign of a unit, as it follows a number. */
export function unitSign(unit: string): string {
  return UNITS[unit] ?? (unit ? ` ${unit}` : "");
}

/** A number with its unit. */
export function quantity(value: number | null | undefined, unit: string): string {
  return number(value) + (Number.isFinite(value ?? Number.NaN) ? unitSign(unit) : "");
}

/** A name as the beginning of a line. */
export function heading(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

/** The value of a sample in the column that colours the map, after the column's title. */
export function valueOf(row: number): string {
  const column = state.colourColumn.value;
  const value = state.colourValues.value?.[row];
  if (!column || value === undefined || !Number.isFinite(value)) return "";
  return `${heading(column.title)} ${column.categories ? column.categories[value] : quantity(value, column.unit)}`;
}

/** The number of a sample with its value in the column that colours the map. */
export function labelOf(row: number): string {
  return [`Sample ${row}`, valueOf(row)].filter(Boolean).join(" · ");
}
