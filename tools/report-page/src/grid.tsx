// A table of any length, or a tree: virtual rows, a cursor moved with the keys, columns to sort by.

import type { JSX } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { number, type Row } from "./report";
import type { Rows, Sorting } from "./rows";
import { grouped, shown, words } from "./shown";
import type { Column } from "./tables";
import { type Branch, branches } from "./tree";
import { useVirtualizer } from "./virtual";

/** Height of a row in pixels, as style.css has it. */
const ROW_HEIGHT = 26;
/** The longest and the shortest a column is drawn, in characters; what does not fit is in the details. */
const WIDEST = 56;
const NARROWEST = 5;
/** How many rows are looked at for the width of the columns. */
const SAMPLE = 400;
/** Characters that indenting a level takes. */
const INDENT = 2;
/** Levels that are indented; what lies deeper stands at the same place. */
const DEEPEST = 24;

interface Props {
  rows: Rows;
  filter: string;
  /** To which the memory bars are drawn. */
  mostCommit: number;
  onOpen: (row: Row) => void;
}

export function Grid({ rows, filter, mostCommit, onOpen }: Props): JSX.Element {
  const { table, parents } = rows;
  const [sorting, setSorting] = useState<Sorting | null>(null);
  const [closed, setClosed] = useState<Set<number>>(new Set());
  const [cursor, setCursor] = useState(0);
  const scroller = useRef<HTMLDivElement>(null);

  const found = useMemo(() => rows.find(filter), [rows, filter]);
  const lines: Branch[] | Int32Array = useMemo(() => {
    if (parents === null) {
      return rows.sort(found, sorting);
    }
    const wanted = found === null ? null : new Set(found);
    return branches(parents, rows.sort(null, sorting), wanted, closed);
  }, [rows, parents, found, sorting, closed]);
  const columns = useMemo(() => widths(rows), [rows]);

  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    // The header covers the first row otherwise.
    scrollPaddingStart: ROW_HEIGHT,
    overscan: 12,
  });
  const active = Math.min(cursor, lines.length - 1);
  useLayoutEffect(() => {
    setCursor(0);
    scroller.current?.scrollTo({ top: 0 });
  }, [filter, sorting]);

  const line = (place: number): Branch => {
    const found = lines[place];
    return typeof found === "object" ? found : { row: found ?? 0, level: 1, children: 0 };
  };
  const move = (to: number) => {
    const place = Math.max(0, Math.min(lines.length - 1, to));
    setCursor(place);
    virtualizer.scrollToIndex(place, { align: "auto" });
  };
  const toggle = (row: number, close: boolean) => {
    const next = new Set(closed);
    if (close) {
      next.add(row);
    } else {
      next.delete(row);
    }
    setClosed(next);
  };
  const open = (place: number) => {
    const row = rows.all[line(place).row];
    if (row !== undefined) {
      onOpen(row);
    }
  };

  /** Right opens a branch or goes into it, left closes it or goes out of it. */
  const sideways = (right: boolean) => {
    const { row, level, children } = line(active);
    const isOpen = children > 0 && !closed.has(row);
    if (right) {
      if (children > 0 && !isOpen) {
        toggle(row, false);
      } else if (isOpen) {
        move(active + 1);
      }
    } else if (isOpen) {
      toggle(row, true);
    } else {
      let above = active - 1;
      while (above > 0 && line(above).level >= level) {
        above -= 1;
      }
      if (above >= 0 && line(above).level < level) {
        move(above);
      }
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== scroller.current || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_HEIGHT) - 2);
    const keys: Record<string, () => void> = {
      ArrowDown: () => move(active + 1),
      ArrowUp: () => move(active - 1),
      PageDown: () => move(active + page),
      PageUp: () => move(active - page),
      Home: () => move(0),
      End: () => move(lines.length - 1),
      Enter: () => open(active),
      " ": () => open(active),
    };
    if (parents !== null) {
      keys.ArrowRight = () => sideways(true);
      keys.ArrowLeft = () => sideways(false);
    }
    const action = keys[event.key];
    if (action !== undefined && lines.length > 0) {
      event.preventDefault();
      action();
    }
  };

  const template = columns.map((column) => column.track).join(" ");
  const least = columns.reduce((sum, column) => sum + column.characters, 0);
  const id = (place: number) => `${table.id}-row-${place}`;
  return (
    <>
      <p class="count" role="status">
        {counted(found === null ? rows.all.length : found.length, rows.all.length)}
      </p>
      <div
        ref={scroller}
        class="grid"
        role={parents === null ? "grid" : "treegrid"}
        aria-label={table.title}
        aria-rowcount={lines.length + 1}
        aria-colcount={columns.length}
        aria-activedescendant={lines.length > 0 ? id(active) : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        <div
          class="sheet"
          role="rowgroup"
          style={{ height: `${virtualizer.getTotalSize() + ROW_HEIGHT}px`, minWidth: `${least}ch` }}
        >
          <div class="row header" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
            {columns.map(({ column, right }) => (
              <Heading column={column} right={right} sorting={sorting} onSort={setSorting} />
            ))}
          </div>
          {virtualizer.getVirtualItems().map((item) => {
            const branch = line(item.index);
            const row = rows.all[branch.row] ?? {};
            const isOpen = branch.children > 0 ? !closed.has(branch.row) : undefined;
            return (
              <div
                key={item.index}
                id={id(item.index)}
                class={item.index === active ? "row active" : "row"}
                role="row"
                aria-rowindex={item.index + 2}
                aria-selected={item.index === active}
                aria-level={parents === null ? undefined : branch.level}
                aria-expanded={isOpen}
                style={{ gridTemplateColumns: template, transform: `translateY(${item.start}px)` }}
                onClick={() => {
                  setCursor(item.index);
                  open(item.index);
                }}
              >
                {columns.map(({ column, right }, place) => {
                  const text = rows.cell(row, column);
                  return (
                    <span role="gridcell" class={right ? "cell right" : "cell"} title={text}>
                      {place === 0 && parents !== null && (
                        <Twisty level={branch.level} open={isOpen} onToggle={(close) => toggle(branch.row, close)} />
                      )}
                      {column.bars && <Bars row={row} most={mostCommit} />}
                      {text}
                    </span>
                  );
                })}
              </div>
            );
          })}
        </div>
        {lines.length === 0 && <p class="nothing">{rows.all.length === 0 ? "Nothing of this was captured, or there was none." : "No row has all of these words."}</p>}
      </div>
    </>
  );
}

function counted(found: number, all: number): string {
  const rows = (count: number) => `${grouped(count)} ${count === 1 ? "row" : "rows"}`;
  return found === all ? rows(all) : `${grouped(found)} of ${rows(all)}`;
}

interface HeadingProps {
  column: Column;
  right: boolean;
  sorting: Sorting | null;
  onSort: (sorting: Sorting | null) => void;
}

/** A click sorts upwards, the next one downwards, the third one not at all. */
function Heading({ column, right, sorting, onSort }: HeadingProps): JSX.Element {
  const mine = sorting?.column === column ? sorting : null;
  const next = mine === null ? { column, descending: false } : mine.descending ? null : { column, descending: true };
  return (
    <span
      role="columnheader"
      class={right ? "cell right" : "cell"}
      aria-sort={mine === null ? "none" : mine.descending ? "descending" : "ascending"}
    >
      <button type="button" onClick={() => onSort(next)}>
        {heading(column)}
        <span aria-hidden="true">{mine === null ? "" : mine.descending ? " ▼" : " ▲"}</span>
      </button>
    </span>
  );
}

export function heading(column: Column): string {
  return column.title ?? words(column.key);
}

interface TwistyProps {
  level: number;
  open: boolean | undefined;
  onToggle: (close: boolean) => void;
}

function Twisty({ level, open, onToggle }: TwistyProps): JSX.Element {
  const indent = { marginLeft: `${Math.min(level - 1, DEEPEST) * INDENT}ch` };
  return (
    <span
      class="twisty"
      style={indent}
      aria-hidden="true"
      onClick={(event) => {
        if (open !== undefined) {
          event.stopPropagation();
          onToggle(open);
        }
      }}
    >
      {open === undefined ? "" : open ? "▾" : "▸"}
    </span>
  );
}

/** Private commit, and below it private working set, both to the scale of the most commit of any process. */
export function Bars({ row, most }: { row: Row; most: number }): JSX.Element {
  const width = (key: string) => ({ width: `${Math.min(100, (100 * Math.max(0, number(row, key))) / most)}%` });
  const text = (key: string) => shown(row[key], "size");
  return (
    <span
      class="bars"
      role="img"
      aria-label={`private commit ${text("private_commit")}, private working set ${text("private_working_set")}`}
    >
      <span class="commit" style={width("private_commit")} />
      <span class="resident" style={width("private_working_set")} />
    </span>
  );
}

interface Width {
  column: Column;
  characters: number;
  /** As CSS grids take it. */
  track: string;
  right: boolean;
}

/** Columns as wide as what they show, from a sample of the rows; the last one takes what is left. */
function widths(rows: Rows): Width[] {
  const { columns } = rows.table;
  const step = Math.max(1, Math.floor(rows.all.length / SAMPLE));
  const sample = rows.all.filter((_, place) => place % step === 0);
  return columns.map((column, place) => {
    const longest = sample.reduce((most, row) => Math.max(most, rows.cell(row, column).length), 0);
    const extra = (column.bars ? 14 : 0) + (place === 0 && rows.parents !== null ? 10 : 0);
    const content = Math.max(longest, heading(column).length + 2, NARROWEST);
    const characters = Math.min(content, WIDEST) + extra + 2;
    const right = ["id", "number", "size", "duration"].includes(column.kind ?? "text") && !column.bars;
    const last = place === columns.length - 1;
    return { column, characters, right, track: last ? `minmax(${characters}ch, 1fr)` : `${characters}ch` };
  });
}
