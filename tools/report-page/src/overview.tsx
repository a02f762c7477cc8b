// The snapshot at a glance: what it is, whether it is whole, what is in it, and the boot on one time axis.

import type { JSX } from "preact";

import { Differences } from "./differences";
import { isRow, list, number, record, text, type Report, type Row } from "./report";
import { duration, NOTHING, shown, words } from "./shown";
import { TABLES } from "./tables";
import { Timeline } from "./timeline";

/** How many processes and types are in the short lists. */
const TOP = 8;

/** Where the short lists lead. */
type Go = (view: string, filter?: string) => void;

export function Overview({ report, onGo }: { report: Report; onGo: Go }): JSX.Element {
  return (
    <div class="overview">
      <div class="columns">
        <Identity report={report} />
        <State report={report} onGo={onGo} />
        <Lists report={report} />
      </div>
      <div class="columns">
        <Largest
          title="Most private commit"
          rows={list(report, "processes")}
          name={(row) => `${shown(row.image)} (${shown(row.pid)})`}
          value="private_commit"
          kind="size"
          onGo={(row) => onGo("processes", `pid:${shown(row.pid)}`)}
        />
        <Largest
          title="Most handles"
          rows={list(report, "processes")}
          name={(row) => `${shown(row.image)} (${shown(row.pid)})`}
          value="handle_count"
          kind="number"
          onGo={(row) => onGo("handles", `pid:${shown(row.pid)}`)}
        />
        <Largest
          title="Most objects"
          rows={list(report, "types")}
          name={(row) => shown(row.name)}
          value="object_count"
          kind="number"
          onGo={() => onGo("types")}
        />
      </div>
      {report.comparison !== null && <Differences comparison={report.comparison} onGo={onGo} />}
      <Timeline report={report} />
    </div>
  );
}

function Identity({ report }: { report: Report }): JSX.Element {
  const summary = record(report, "summary");
  const system = record(report, "summary", "system");
  const bits = system.pointer_width === 8 ? "64 bits" : "32 bits";
  return (
    <Pairs
      title="Snapshot"
      pairs={[
        ["file", shown(report.file)],
        ["phase", `${shown(summary.phase)} (${shown(summary.phase_source)})`],
        ["taken", shown(summary.start_time, "moment")],
        ["after boot", shown(summary.since_boot, "duration")],
        ["took", shown(summary.duration, "duration")],
        ["by", `bootshot ${shown(summary.writer_version)}, process ${shown(summary.pid)}`],
        ["number", shown(summary.sequence)],
        ["id", shown(summary.snapshot_id)],
        ["system", `Windows NT ${shown(system.nt_version)}, ${shown(system.machine)}, ${bits}`],
        ["processors", shown(system.processors)],
        ["directory", shown(system.system_root)],
        ["booted", shown(system.boot_time, "moment")],
      ]}
    />
  );
}

/** What `completeness` means; docs/json.md. */
const COMPLETENESS: Record<string, string> = {
  complete: "The capture came to its end.",
  timed_out: "The capture was cut off by its time limit: what it had not reached is missing.",
  salvaged: "The file was cut short or damaged, and was closed by salvage: something is missing.",
  unfinished: "The capture did not come to its end: what follows its last section is missing.",
};

function State({ report, onGo }: { report: Report; onGo: Go }): JSX.Element {
  const completeness = text(record(report, "summary"), "completeness") ?? NOTHING;
  const counts = record(report, "summary", "counts");
  const warned = report.damaged || completeness !== "complete";
  const denied = list(report, "summary", "privileges").filter((privilege) => privilege.held === false);
  return (
    <section>
      <h2>Completeness</h2>
      <p class={warned ? "state warned" : "state"}>
        <strong>{words(completeness)}</strong> {COMPLETENESS[completeness]}
      </p>
      {report.damaged && <p class="state warned">Bytes of the file are not as they were written.</p>}
      {report.problems.length > 0 && (
        <p>
          <button type="button" onClick={() => onGo("problems")}>
            {report.problems.length} {report.problems.length === 1 ? "problem" : "problems"} while reading
          </button>
        </p>
      )}
      {denied.length > 0 && <p>Not granted: {denied.map((privilege) => shown(privilege.name)).join(", ")}</p>}
      <ul class="counts">
        {Object.entries(counts)
          .filter(([key]) => TABLES.some((table) => table.id === key))
          .map(([key, count]) => (
            <li>
              <button type="button" onClick={() => onGo(key)}>
                <strong>{shown(count, "number")}</strong> {words(key)}
              </button>
            </li>
          ))}
      </ul>
    </section>
  );
}

function Lists({ report }: { report: Report }): JSX.Element {
  const lists = record(report, "boot", "lists");
  const pairs = Object.entries(lists).flatMap(([name, entries]) =>
    Array.isArray(entries) ? [[words(name), entries.map((entry) => shown(entry)).join("\n")] as const] : [],
  );
  return <Pairs title="Session Manager lists" pairs={pairs} />;
}

function Pairs({ title, pairs }: { title: string; pairs: (readonly [string, string])[] }): JSX.Element {
  return (
    <section>
      <h2>{title}</h2>
      {pairs.length === 0 && <p class="note">not captured</p>}
      <dl>
        {pairs.map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </>
        ))}
      </dl>
    </section>
  );
}

interface LargestProps {
  title: string;
  rows: Row[];
  name: (row: Row) => string;
  value: string;
  kind: "size" | "number";
  onGo: (row: Row) => void;
}

/** The rows with the largest values, as bars. */
function Largest({ title, rows, name, value, kind, onGo }: LargestProps): JSX.Element {
  const largest = rows
    .filter((row) => isRow(row) && number(row, value) > 0)
    .toSorted((one, other) => number(other, value) - number(one, value))
    .slice(0, TOP);
  const most = number(largest[0] ?? {}, value) || 1;
  return (
    <section>
      <h2>{title}</h2>
      {largest.length === 0 && <p class="note">not captured</p>}
      <ol class="largest">
        {largest.map((row) => (
          <li>
            <button type="button" onClick={() => onGo(row)}>
              <span class="name">{name(row)}</span>
              <span class="amount">{shown(row[value], kind)}</span>
              <span class="bars" aria-hidden="true">
                <span class="commit" style={{ width: `${(100 * number(row, value)) / most}%` }} />
              </span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** One line that says which snapshot this is. */
export function headline(report: Report): string {
  const summary = record(report, "summary");
  const system = record(report, "summary", "system");
  const taken = shown(summary.start_time, "moment");
  const after = duration(number(summary, "since_boot"));
  return `${shown(summary.phase)}, NT ${shown(system.nt_version)} ${shown(system.machine)}, ${taken}, ${after} after boot`;
}
