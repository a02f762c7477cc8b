// The rows of each table, made when they are first looked at; finding and ordering them.

import { list, type Report, type Row } from "./report";
import { order, shown } from "./shown";
import type { Column, Table } from "./tables";
import type { Parents } from "./tree";

export interface Sorting {
  column: Column;
  descending: boolean;
}

/** A table with the rows of one report. */
export class Rows {
  readonly all: Row[];
  readonly parents: Parents | null;
  #texts: string[] | null = null;

  constructor(readonly table: Table, report: Report) {
    this.all = table.rows(report);
    this.parents = table.tree?.(this.all) ?? null;
  }

  /** What a cell shows. */
  cell(row: Row, column: Column): string {
    return column.show?.(row) ?? shown(row[column.key], column.kind);
  }

  /** The places of the rows that have every word of the filter; null when there is none. */
  find(filter: string): Int32Array | null {
    const words = terms(filter);
    if (words.length === 0) {
      return null;
    }
    const wanted = words.map((word) => this.#condition(word));
    const found: number[] = [];
    for (let place = 0; place < this.all.length; place += 1) {
      if (wanted.every((holds) => holds(place))) {
        found.push(place);
      }
    }
    return Int32Array.from(found);
  }

  /** `places`, or all, in the order of a column; rows without a value come last. */
  sort(places: Int32Array | null, sorting: Sorting | null): Int32Array {
    const sorted = places ?? Int32Array.from(this.all.keys());
    if (sorting === null) {
      return sorted;
    }
    const { key, kind = "text" } = sorting.column;
    const direction = sorting.descending ? -1 : 1;
    const keys = this.all.map((row) => order(row[key], kind));
    return sorted.toSorted((one, other) => {
      const first = keys[one] ?? null;
      const second = keys[other] ?? null;
      if (first === null || second === null) {
        return first === second ? one - other : first === null ? 1 : -1;
      }
      return first < second ? -direction : first > second ? direction : one - other;
    });
  }

  /** `key:value` is the row that shows exactly this value there; any other word stands anywhere in the row. */
  #condition(word: string): (place: number) => boolean {
    const [, key, value] = /^(\w+):(.+)$/s.exec(word) ?? [];
    const column = this.table.columns.find((candidate) => candidate.key === key);
    if (column !== undefined && value !== undefined) {
      return (place) => {
        const row = this.all[place];
        const raw = row?.[column.key];
        return row !== undefined && (String(raw).toLowerCase() === value || (column.kind !== "id" && this.cell(row, column).toLowerCase() === value));
      };
    }
    const texts = this.texts();
    return (place) => texts[place]?.includes(word) ?? false;
  }

  /** What each row shows, in lower case. */
  texts(): string[] {
    const columns = this.table.columns;
    this.#texts ??= this.all.map((row) =>
      columns.map((column) => this.cell(row, column)).join("\n").toLowerCase(),
    );
    return this.#texts;
  }
}

/** The words of a filter in lower case; quotes keep one together. */
export function terms(filter: string): string[] {
  const words = filter.toLowerCase().matchAll(/(\w+:)?"([^"]+)"|\S+/g);
  return [...words].map(([word, key, quoted]) => (quoted === undefined ? word : `${key ?? ""}${quoted}`));
}

/** Each table's rows, once. */
export class Library {
  readonly #rows = new Map<string, Rows>();

  constructor(readonly report: Report) {}

  of(table: Table): Rows {
    let rows = this.#rows.get(table.id);
    if (rows === undefined) {
      rows = new Rows(table, this.report);
      this.#rows.set(table.id, rows);
    }
    return rows;
  }

  /** The most private commit that a process has, to which the bars are drawn. */
  mostCommit(): number {
    return list(this.report, "processes").reduce((most, process) => {
      const commit = process.private_commit;
      return typeof commit === "number" && commit > most ? commit : most;
    }, 1);
  }
}
