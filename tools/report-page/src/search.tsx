// Search over every table at once.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { Row } from "./report";
import type { Library, Rows } from "./rows";
import { heading } from "./grid";
import { grouped } from "./shown";
import { TABLES, type Table } from "./tables";

/** How many rows of a table are shown; the table itself shows the rest. */
const SHOWN = 12;
/** How many columns of a row. */
const COLUMNS = 7;

interface Props {
  library: Library;
  query: string;
  onGo: (view: string, filter: string) => void;
  onOpen: (table: Table, row: Row) => void;
}

interface Found {
  rows: Rows;
  places: Int32Array;
}

export function Search({ library, query, onGo, onOpen }: Props): JSX.Element {
  const [found, setFound] = useState<Found[] | null>(null);
  useEffect(() => {
    // Behind the key that was pressed, so that typing never waits for a search.
    const timer = setTimeout(() => setFound(search(library, query)), 60);
    return () => clearTimeout(timer);
  }, [library, query]);
  if (found === null) {
    return <p role="status">Searching …</p>;
  }
  const total = found.reduce((sum, { places }) => sum + places.length, 0);
  return (
    <div class="results">
      <p class="count" role="status">
        {grouped(total)} {total === 1 ? "row" : "rows"} found
      </p>
      {found.map(({ rows, places }) => (
        <section aria-label={rows.table.title}>
          <h2>
            {rows.table.title} <span class="note">{grouped(places.length)}</span>
          </h2>
          <table>
            <thead>
              <tr>
                {rows.table.columns.slice(0, COLUMNS).map((column) => (
                  <th scope="col">{heading(column)}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {[...places.slice(0, SHOWN)].map((place) => (
                <Result rows={rows} row={rows.all[place] ?? {}} onOpen={onOpen} />
              ))}
            </tbody>
          </table>
          <button type="button" onClick={() => onGo(rows.table.id, query)}>
            {places.length > SHOWN ? `All ${grouped(places.length)}` : "Show"} in {rows.table.title}
          </button>
        </section>
      ))}
    </div>
  );
}

function Result({ rows, row, onOpen }: { rows: Rows; row: Row; onOpen: Props["onOpen"] }): JSX.Element {
  const open = () => onOpen(rows.table, row);
  return (
    <tr
      tabIndex={0}
      onClick={open}
      onKeyDown={(event) => {
        if (event.key === "Enter") {
          open();
        }
      }}
    >
      {rows.table.columns.slice(0, COLUMNS).map((column) => (
        <td>{rows.cell(row, column)}</td>
      ))}
    </tr>
  );
}

function search(library: Library, query: string): Found[] {
  return TABLES.map((table) => library.of(table))
    .map((rows) => ({ rows, places: rows.find(query) ?? new Int32Array() }))
    .filter(({ places }) => places.length > 0);
}
