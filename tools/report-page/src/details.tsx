// Everything that a record says, beside the table.

import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import { isRow, type Row, type Value } from "./report";
import { shown, size, words } from "./shown";
import type { Column, Link, Table } from "./tables";

interface Props {
  table: Table;
  row: Row;
  onClose: () => void;
  onFollow: (link: Link) => void;
}

export function Details({ table, row, onClose, onFollow }: Props): JSX.Element {
  const pane = useRef<HTMLElement>(null);
  useLayoutEffect(() => pane.current?.focus(), [row]);
  return (
    <aside
      ref={pane}
      class="details"
      tabIndex={-1}
      aria-label="Details"
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          onClose();
        }
      }}
    >
      <button type="button" class="close" onClick={onClose} aria-label="Close the details">
        ×
      </button>
      <Links links={table.links?.(row) ?? []} onFollow={onFollow} />
      <Fields row={row} columns={table.columns} />
    </aside>
  );
}

function Links({ links, onFollow }: { links: Link[]; onFollow: (link: Link) => void }): JSX.Element | null {
  if (links.length === 0) {
    return null;
  }
  return (
    <ul class="links">
      {links.map((link) => (
        <li>
          <button type="button" onClick={() => onFollow(link)}>
            {link.title}
          </button>
        </li>
      ))}
    </ul>
  );
}

export function Fields({ row, columns = [] }: { row: Row; columns?: Column[] }): JSX.Element {
  return (
    <dl>
      {Object.entries(row).map(([key, value]) => (
        <>
          <dt>{words(key)}</dt>
          <dd>{field(value, columns.find((column) => column.key === key))}</dd>
        </>
      ))}
    </dl>
  );
}

function field(value: Value | undefined, column: Column | undefined): JSX.Element | string {
  if (Array.isArray(value) && value.length > 0) {
    return (
      <ul>
        {value.map((item) => (
          <li>{isRow(item) ? <Fields row={item} /> : shown(item)}</li>
        ))}
      </ul>
    );
  }
  if (isRow(value)) {
    return <Fields row={value} />;
  }
  if (column?.kind === "size" && typeof value === "number") {
    return `${size(value)} (${shown(value, "number")})`;
  }
  // To the last digit, where the table has it to the second.
  return shown(value, column?.kind === "moment" ? "text" : column?.kind);
}
