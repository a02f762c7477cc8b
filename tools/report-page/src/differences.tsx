// What came, went and changed since the snapshot that this one is compared with.

import type { JSX } from "preact";

import { type Comparison, isRow, type Report, type Row, text, type Value } from "./report";
import { grouped, type Kind, NOTHING, shown, words } from "./shown";

/** What became of an entry, by the key that has such entries. */
const DIFFERENCES: [string, string][] = [
  ["added", "came"],
  ["removed", "went"],
  ["changed", "changed"],
  ["not_comparable", "not comparable"],
];

/** How the values of a property are shown, by the kind that the comparison says it is of. */
const KINDS: Record<string, Kind> = {
  bytes: "size",
  count: "number",
  duration: "duration",
  mask: "hexadecimal",
  time: "moment",
};

/** A row for each difference. */
export function differences(report: Report): Row[] {
  return (report.comparison?.subjects ?? []).flatMap((subject) =>
    DIFFERENCES.flatMap(([key, difference]) =>
      rows(subject, key).map((entry) => ({
        subject: subject.name,
        difference,
        name: entry.name ?? entry.below ?? null,
        what: what(entry),
        ...entry,
      })),
    ),
  );
}

function rows(row: Row, key: string): Row[] {
  const value = row[key];
  return Array.isArray(value) ? value.filter(isRow) : [];
}

/** An entry in one line: what changed from what to what, else what is known of it. */
function what(entry: Row): string {
  const changes = rows(entry, "changes").map((change) => {
    const kind = KINDS[text(change, "kind") ?? ""];
    return `${words(text(change, "property") ?? "")}: ${value(change.from, kind)} → ${value(change.to, kind)}`;
  });
  const known = rows(entry, "properties").filter((property) => property.value !== null);
  const told = known.map((property) => `${words(text(property, "property") ?? "")}: ${value(property.value)}`);
  return text(entry, "reason") ?? [...changes, ...told].join("; ");
}

function value(of: Value | undefined, kind?: Kind): string {
  return of === null ? "none" : shown(of, kind);
}

/** How many differences there are, by subject. */
export function Differences({
  comparison,
  onGo,
}: {
  comparison: Comparison;
  onGo: (view: string, filter?: string) => void;
}): JSX.Element {
  const counted = comparison.subjects.map((subject) => ({
    subject,
    counts: DIFFERENCES.map(([key]) => rows(subject, key).length),
    hidden: rows(subject, "hidden").reduce((sum, { count }) => sum + (typeof count === "number" ? count : 0), 0),
  }));
  const some = counted.filter(({ counts, hidden }) => hidden > 0 || counts.some((count) => count > 0));
  const number = (count: number) => (count === 0 ? NOTHING : grouped(count));
  return (
    <section class="differences">
      <h2>Since {shown(comparison.other)}</h2>
      <p class="note">
        {comparison.relation.boot === "same" ? "Of the same boot" : "Of another boot"}: {shown(comparison.relation.evidence)}.
      </p>
      {some.length === 0 && <p>Nothing came, went or changed.</p>}
      {some.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">subject</th>
              {DIFFERENCES.map(([, difference]) => (
                <th scope="col">{difference}</th>
              ))}
              <th scope="col" title="by the rules that bootshotctl diff --rules lists">
                hidden as noise
              </th>
            </tr>
          </thead>
          <tbody>
            {some.map(({ subject, counts, hidden }) => (
              <tr>
                <th scope="row">
                  <button type="button" onClick={() => onGo("differences", `subject:"${shown(subject.name)}"`)}>
                    {words(shown(subject.name))}
                  </button>
                </th>
                {[...counts, hidden].map((count) => (
                  <td>{number(count)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
