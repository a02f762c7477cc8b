// Values as people read them, in the same way as the tables of bootshotctl (src/shown.rs).

import { isRow, type Value } from "./report";

/** What a value is. */
export type Kind = "text" | "id" | "number" | "size" | "duration" | "moment" | "hexadecimal";

/** Stands where there is no value. */
export const NOTHING = "–";

const STEERS = /[\p{Cc}\p{Cs}\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu;
/** Text that has nothing to escape, as nearly all has: told much faster. */
const PLAIN = /^[\x20-\x7E]*$/;
const SHORT: Record<string, string> = { "\t": "\\t", "\r": "\\r", "\n": "\\n" };

/** The text with everything escaped that is not seen, or turns the order of what is seen around. */
export function visible(text: string): string {
  if (PLAIN.test(text)) {
    return text;
  }
  return text.replace(
    STEERS,
    (character) => SHORT[character] ?? `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** A value in a table. */
export function shown(value: Value | undefined, kind: Kind = "text"): string {
  if (value === null || value === undefined) {
    return NOTHING;
  }
  if (typeof value === "number") {
    return numbers(value, kind);
  }
  if (typeof value === "boolean") {
    return value ? "yes" : "no";
  }
  if (typeof value === "string") {
    return kind === "moment" ? moment(value) : visible(value);
  }
  if (Array.isArray(value)) {
    return value.map((item) => shown(item, kind)).join(isRow(value[0]) ? "; " : " ");
  }
  return Object.entries(value)
    .map(([key, item]) => `${key} ${shown(item)}`)
    .join(", ");
}

function numbers(value: number, kind: Kind): string {
  switch (kind) {
    case "size":
      return size(value);
    case "duration":
      return duration(value);
    case "number":
      return grouped(value);
    default:
      return String(value);
  }
}

const DIGITS = new Intl.NumberFormat("en-GB");

/** `100,000`. One formatter for all: making it is what takes time. */
export function grouped(value: number): string {
  return DIGITS.format(value);
}

const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"];

/** Bytes, in the unit that leaves three digits at most. */
export function size(bytes: number): string {
  if (bytes < 1024) {
    return `${bytes} B`;
  }
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 999.5 && unit + 1 < UNITS.length) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(value < 9.95 ? 1 : 0)} ${UNITS[unit]}`;
}

/** 100 ns units, in the largest unit that keeps a digit before the point. */
export function duration(ticks: number): string {
  if (ticks < 10_000) {
    return `${Math.floor(ticks / 10)} µs`;
  }
  if (ticks < 10_000_000) {
    return `${(ticks / 10_000).toFixed(1)} ms`;
  }
  if (ticks < 600_000_000) {
    return `${(ticks / 10_000_000).toFixed(1)} s`;
  }
  const seconds = Math.floor(ticks / 10_000_000);
  const two = (number: number) => String(number).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** RFC 3339 to the second. */
export function moment(time: string): string {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)/.exec(time);
  return parts === null ? visible(time) : `${parts[1]} ${parts[2]} UTC`;
}

/** From one moment to another, 100 ns units. All seven digits count: JavaScript's own dates have three. */
export function between(from: string, to: string): number {
  const parts = (time: string) => /^(.{19})\.(\d{7})Z$/.exec(time) ?? [];
  const [, fromSecond = "", fromTicks = "0"] = parts(from);
  const [, toSecond = "", toTicks = "0"] = parts(to);
  const milliseconds = Date.parse(`${toSecond}Z`) - Date.parse(`${fromSecond}Z`);
  return milliseconds * 10_000 + Number(toTicks) - Number(fromTicks);
}

/** `private_commit` as words. */
export function words(key: string): string {
  return visible(key).replaceAll("_", " ");
}

/** What orders values of a column: numbers by size, `0x…` by length and digits, the rest as it is shown, in any case. */
export function order(value: Value | undefined, kind: Kind): number | string | null {
  if (value === null || value === undefined) {
    return null;
  }
  if (typeof value === "number") {
    return value;
  }
  if (kind === "hexadecimal" && typeof value === "string") {
    return value.slice(2).padStart(16, "0");
  }
  return (typeof value === "string" ? value : shown(value)).toLowerCase();
}
