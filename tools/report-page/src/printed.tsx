// What goes to paper: the overview and the process tree whole, the beginning of every other table with a note.

import type { JSX } from "preact";

import { Bars, heading } from "./grid";
import { headline, Overview } from "./overview";
import type { Library, Rows } from "./rows";
import { grouped, shown } from "./shown";
import { TABLES } from "./tables";
import { branches } from "./tree";

/** How many rows of a table are printed; of the process tree all are. */
const PRINTED = 40;

export function Printed({ library }: { library: Library }): JSX.Element {
  return (
    <>
      <h1>{shown(library.report.file)}</h1>
      <p>{headline(library.report)}</p>
      <Overview report={library.report} onGo={() => {}} />
      {TABLES.map((table) => library.of(table))
        .filter((rows) => rows.all.length > 0)
        .map((rows) => (
          <Sheet rows={rows} mostCommit={library.mostCommit()} whole={rows.table.id === "processes"} />
        ))}
    </>
  );
}

function Sheet({ rows, mostCommit, whole }: { rows: Rows; mostCommit: number; whole: boolean }): JSX.Element {
  const all = rows.sort(null, null);
  const lines =
    rows.parents === null
      ? [...all].map((row) => ({ row, level: 1 }))
      : branches(rows.parents, all, null, new Set());
  const printed = whole ? lines : lines.slice(0, PRINTED);
  return (
    <section class="printed">
      <h2>{rows.table.title}</h2>
      <table>
        <thead>
          <tr>
            {rows.table.columns.map((column) => (
              <th>{heading(column)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {printed.map(({ row, level }) => (
            <tr>
              {rows.table.columns.map((column, place) => (
                <td style={place === 0 ? { paddingLeft: `${(level - 1) * 1.5}ch` } : {}}>
                  {column.bars && <Bars row={rows.all[row] ?? {}} most={mostCommit} />}
                  {rows.cell(rows.all[row] ?? {}, column)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {printed.length < lines.length && (
        <p class="cut">
          The first {printed.length} of {grouped(lines.length)} rows; the file itself has all.
        </p>
      )}
    </section>
  );
}
