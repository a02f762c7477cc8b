// The boot on one time axis: when each process was created, and which question of the capture took how long.

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { list, number, record, text, type Report } from "./report";
import { between, duration, shown } from "./shown";
import { question } from "./tables";

/** How many processes are drawn; the earliest. */
const DRAWN = 400;
/** Marks on the axis. */
const MARKS = 6;
/** How much of the range around the capture is shown when it fills the axis. */
const MARGIN = 0.02;

interface Span {
  label: string;
  kind: "capture" | "section" | "process";
  /** 100 ns units from the start of the axis. */
  from: number;
  to: number;
  said: string;
}

interface Axis {
  /** When it starts. */
  origin: string;
  end: number;
  capture: { from: number; to: number };
  spans: Span[];
  left_out: number;
}

/** Everything on the axis; null where the snapshot does not say when it was taken. */
export function axis(report: Report): Axis | null {
  const summary = record(report, "summary");
  const start = text(summary, "start_time");
  if (start === undefined) {
    return null;
  }
  const created = list(report, "processes")
    .filter((process) => text(process, "create_time") !== undefined)
    .sort((one, other) => ((text(one, "create_time") ?? "") < (text(other, "create_time") ?? "") ? -1 : 1));
  const boot = text(record(report, "summary", "system"), "boot_time");
  const moments = [start, boot, text(created[0] ?? {}, "create_time")].filter((moment) => moment !== undefined);
  const origin = moments.reduce((first, moment) => (moment < first ? moment : first));
  const at = (moment: string) => between(origin, moment);

  const sections = list(report, "summary", "sections").flatMap((section, place): Span[] => {
    const offset = report.section_starts[place];
    if (typeof offset !== "number") {
      return [];
    }
    const from = at(start) + offset;
    const cost = number(section, "duration");
    const label = `${shown(section.section)} ${shown(section.family)}`;
    return [{ label, kind: "section", from, to: from + cost, said: `${question(section)}: ${duration(cost)}` }];
  });
  const taken = number(summary, "duration");
  const end = sections.reduce((last, section) => Math.max(last, section.to), at(start) + taken);
  const processes = created.slice(0, DRAWN).map((process): Span => {
    const from = at(text(process, "create_time") ?? start);
    return {
      label: `${shown(process.image)} ${shown(process.pid)}`,
      kind: "process",
      from,
      to: end,
      said: `created ${offset(from, end)} after the start of the axis`,
    };
  });
  const capture: Span = { label: "capture", kind: "capture", from: at(start), to: end, said: `took ${duration(taken)}` };
  return {
    origin,
    end: processes.reduce((last, process) => Math.max(last, process.from), end),
    capture,
    spans: [capture, ...sections, ...processes],
    left_out: created.length - processes.length,
  };
}

interface Range {
  from: number;
  to: number;
}

export function Timeline({ report }: { report: Report }): JSX.Element {
  const all = axis(report);
  const [range, setRange] = useState<Range | null>(null);
  if (all === null) {
    return <p>The snapshot does not say when it was taken.</p>;
  }
  const whole = { from: 0, to: Math.max(1, all.end) };
  const taken = Math.max(1, all.capture.to - all.capture.from);
  const capture = { from: all.capture.from - taken * MARGIN, to: all.capture.to + taken * MARGIN };
  const seen = range ?? whole;
  const span = seen.to - seen.from;
  const zoom = (factor: number) => {
    const middle = (seen.from + seen.to) / 2;
    setRange({ from: middle - (span * factor) / 2, to: middle + (span * factor) / 2 });
  };
  const pan = (part: number) => setRange({ from: seen.from + span * part, to: seen.to + span * part });
  const percent = (moment: number) => (100 * (moment - seen.from)) / span;
  const marks = Array.from({ length: MARKS }, (_, mark) => seen.from + (span * mark) / (MARKS - 1));
  return (
    <section class="timeline" aria-labelledby="timeline">
      <h2 id="timeline">Boot timeline</h2>
      <div class="toolbar" role="toolbar" aria-label="Range of the timeline">
        <button type="button" aria-pressed={range === null} onClick={() => setRange(null)}>
          Whole time
        </button>
        <button type="button" onClick={() => setRange(capture)}>
          Capture
        </button>
        <button type="button" onClick={() => zoom(1 / 2)} aria-label="Zoom in">
          +
        </button>
        <button type="button" onClick={() => zoom(2)} aria-label="Zoom out">
          −
        </button>
        <button type="button" onClick={() => pan(-1 / 4)} aria-label="Earlier">
          ←
        </button>
        <button type="button" onClick={() => pan(1 / 4)} aria-label="Later">
          →
        </button>
      </div>
      <p class="note">
        From {shown(all.origin, "moment")}. Processes from their creation; the capture and each of its sections with what it took.
      </p>
      <div class="lanes" tabIndex={0} role="list" aria-label="Processes and sections by time">
        <div class="lane axis" aria-hidden="true">
          <span />
          <span class="track">
            {marks.map((mark) => (
              <span class="mark" style={{ left: `${percent(mark)}%` }}>
                {offset(mark, span)}
              </span>
            ))}
          </span>
        </div>
        {all.spans.map((item) => (
          <Lane item={item} percent={percent} />
        ))}
      </div>
      {all.left_out > 0 && <p class="note">and {all.left_out} processes created later</p>}
    </section>
  );
}

function Lane({ item, percent }: { item: Span; percent: (moment: number) => number }): JSX.Element {
  const left = Math.max(0, Math.min(100, percent(item.from)));
  const right = Math.max(0, Math.min(100, percent(item.to)));
  const inSight = percent(item.to) >= 0 && percent(item.from) <= 100;
  return (
    <div class="lane" role="listitem" title={item.said}>
      <span class="label">{item.label}</span>
      <span class="track">
        {inSight && <span class={`span ${item.kind}`} style={{ left: `${left}%`, width: `${right - left}%` }} />}
      </span>
      <span class="unseen">{item.said}</span>
    </div>
  );
}

/** A place on the axis, with the digits that the range needs. */
function offset(ticks: number, range: number): string {
  const sign = ticks < 0 ? "−" : "";
  const absolute = Math.abs(ticks);
  if (range >= 6_000_000_000) {
    return `${sign}${duration(Math.max(absolute, 600_000_000))}`;
  }
  const seconds = absolute / 10_000_000;
  return `${sign}${seconds.toFixed(range < 1_000_000 ? 4 : range < 100_000_000 ? 2 : 1)} s`;
}
