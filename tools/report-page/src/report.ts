// What `bootshotctl report` put into the page: the records that the commands print with `--json` (docs/json.md).

/** Any value of JSON. */
export type Value = null | boolean | number | string | Value[] | Row;

/** A record. Keys that a snapshot or an older companion lacks are `undefined`. */
export interface Row {
  [key: string]: Value | undefined;
}

export interface Report {
  /** Name of the snapshot's file. */
  file: string;
  /** Name and version of the program that wrote the report. */
  program: string;
  /** Bytes of the snapshot are not as they were written. */
  damaged: boolean;
  /** From the start of the capture to that of each of its sections, 100 ns units. */
  section_starts: (number | null)[];
  /** What could not be read: `about` which records, and the keys of a problem. */
  problems: Row[];
  /** By subcommand. */
  records: Row;
  /** What the snapshot is compared with, and what came of it. */
  comparison: Comparison | null;
}

export interface Comparison {
  /** Name of the other snapshot's file. */
  other: string;
  /** As `bootshotctl diff` has it: what the snapshots are to each other, and by subject what came, went and changed. */
  relation: Row;
  subjects: Row[];
}

/** The report inside the page: JSON, compressed (zlib), in base64. */
export async function embedded(): Promise<Report> {
  const text = document.getElementById("snapshot")?.textContent ?? "";
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = characters.charCodeAt(at);
  }
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return (await new Response(inflated).json()) as Report;
}

/** The records at a place such as `registry`, `services`: nothing, when the snapshot has none there. */
export function list(report: Report, ...place: string[]): Row[] {
  const value = at(report, ...place);
  return Array.isArray(value) ? value.filter(isRow) : [];
}

/** The record at a place. */
export function record(report: Report, ...place: string[]): Row {
  const value = at(report, ...place);
  return isRow(value) ? value : {};
}

export function isRow(value: Value | undefined): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The number at a key, 0 without one. */
export function number(row: Row, key: string): number {
  const value = row[key];
  return typeof value === "number" ? value : 0;
}

/** The text at a key. */
export function text(row: Row, key: string): string | undefined {
  const value = row[key];
  return typeof value === "string" ? value : undefined;
}

function at(report: Report, ...place: string[]): Value | undefined {
  let value: Value | undefined = report.records;
  for (const key of place) {
    value = isRow(value) ? value[key] : undefined;
  }
  return value;
}
