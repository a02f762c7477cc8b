// The tables of the report: where each finds its records, and the columns it shows of them. A further one is an entry here.

import { differences } from "./differences";
import { isRow, list, number, record, text, type Report, type Row, type Value } from "./report";
import { type Kind, NOTHING, shown, size, words } from "./shown";
import { type Parents, parentsByPath, withoutCircles } from "./tree";

export interface Column {
  /** Key in the record. */
  key: string;
  /** The key as words, without it. */
  title?: string;
  /** Text without it. */
  kind?: Kind;
  /** What is shown instead of the value. */
  show?: (row: Row) => string;
  /** Draws the memory of a process beside it. */
  bars?: boolean;
}

export interface Table {
  /** As the address of the view has it. */
  id: string;
  title: string;
  /** The heading it stands under. */
  group: Group;
  /** What the rows are, a sentence. */
  about: string;
  rows: (report: Report) => Row[];
  columns: Column[];
  /** Which rows stand below which; the first column then shows the tree. */
  tree?: (rows: Row[]) => Parents;
  /** Whether a report has it at all; without it, each does. */
  exists?: (report: Report) => boolean;
  /** Where else a row is about: a view and what to look for there. */
  links?: (row: Row) => Link[];
}

export interface Link {
  title: string;
  view: string;
  filter: string;
}

export type Group = "System" | "Processes" | "Objects" | "Kernel" | "Registry" | "Snapshot";

const PID: Column = { key: "pid", title: "PID", kind: "id" };
const IMAGE: Column = { key: "image" };
const NAME: Column = { key: "name" };
const HOLDERS: Column = { key: "holders", show: holders };

const ofProcess = (row: Row): Link[] =>
  row.pid === undefined || row.pid === null
    ? []
    : [
        { title: "Its process", view: "processes", filter: `pid:${shown(row.pid)}` },
        { title: "Its handles", view: "handles", filter: `pid:${shown(row.pid)}` },
        { title: "Its threads", view: "threads", filter: `pid:${shown(row.pid)}` },
      ];

const ofType = (key: string) => (row: Row): Link[] => [
  { title: "Handles to such objects", view: "handles", filter: `type:${quoted(text(row, key) ?? "")}` },
];

/** As a filter takes it. */
function quoted(value: string): string {
  return /\s/.test(value) ? `"${value}"` : value;
}

export const TABLES: Table[] = [
  {
    id: "differences",
    title: "Differences",
    group: "System",
    about: "What came, went and changed since the snapshot that this one is compared with.",
    exists: (report) => report.comparison !== null,
    rows: differences,
    columns: [{ key: "subject" }, { key: "difference" }, NAME, { key: "what" }],
  },
  {
    id: "processes",
    title: "Process tree",
    group: "Processes",
    about: "Each process below the one that started it. The bars compare private commit and private working set.",
    rows: (report) => list(report, "processes"),
    tree: processParents,
    columns: [
      IMAGE,
      PID,
      { key: "parent_pid", title: "parent", kind: "id", show: parent },
      { key: "private_commit", title: "private commit", kind: "size", bars: true },
      { key: "private_working_set", kind: "size" },
      { key: "thread_count", title: "threads", kind: "number" },
      { key: "handle_count", title: "handles", kind: "number" },
      { key: "create_time", title: "created", kind: "moment" },
      { key: "machine" },
      { key: "protection" },
      { key: "user" },
      { key: "job" },
      { key: "command_line" },
    ],
    links: (row) => ofProcess(row).slice(1),
  },
  {
    id: "process-memory",
    title: "Process memory",
    group: "Processes",
    about: "What each process takes: promised to it, in RAM, and in the kernel's pools.",
    rows: (report) => list(report, "memory", "processes"),
    columns: [
      PID,
      IMAGE,
      ...[
        "private_commit",
        "peak_private_commit",
        "private_working_set",
        "shared_working_set",
        "working_set",
        "peak_working_set",
        "virtual_size",
        "paged_pool",
        "nonpaged_pool",
      ].map((key): Column => ({ key, kind: "size" })),
      { key: "page_faults", kind: "number" },
      { key: "hard_faults", kind: "number" },
    ],
    links: ofProcess,
  },
  {
    id: "zombies",
    title: "Zombies",
    group: "Processes",
    about: "Processes and threads that have ended and still exist, because somebody holds them.",
    rows: (report) => [
      ...list(report, "zombies", "processes"),
      ...list(report, "zombies", "threads"),
      ...list(report, "zombies", "ended_during_capture").map((row) => ({ ...row, ended_during_capture: true })),
    ],
    columns: [
      PID,
      { key: "tid", title: "TID", kind: "id" },
      IMAGE,
      { key: "exit_status" },
      { key: "exit_time", title: "ended", kind: "moment" },
      { key: "create_time", title: "created", kind: "moment" },
      { key: "ended_during_capture", title: "ended during the capture" },
      { key: "holders", show: (row) => holders(row) || "held by the kernel only" },
      { key: "path" },
    ],
  },
  {
    id: "jobs",
    title: "Jobs",
    group: "Processes",
    about: "Jobs and silos, their processes, limits and holders.",
    rows: (report) => list(report, "jobs"),
    columns: [
      NAME,
      { key: "name_status" },
      { key: "address", kind: "hexadecimal" },
      { key: "of_capture", title: "of the capture" },
      { key: "process_ids", title: "processes" },
      { key: "silo" },
      { key: "limits" },
      { key: "accounting" },
      HOLDERS,
    ],
  },
  {
    id: "threads",
    title: "Threads",
    group: "Processes",
    about: "The threads of all processes.",
    rows: (report) => list(report, "threads"),
    columns: [
      { key: "tid", title: "TID", kind: "id" },
      PID,
      IMAGE,
      { key: "state" },
      { key: "wait_reason" },
      { key: "priority", kind: "number" },
      { key: "start_address", kind: "hexadecimal" },
      { key: "win32_start_address", kind: "hexadecimal" },
      { key: "context_switches", kind: "number" },
      { key: "user_time", kind: "duration" },
      { key: "kernel_time", kind: "duration" },
      { key: "create_time", title: "created", kind: "moment" },
    ],
    links: ofProcess,
  },
  {
    id: "handles",
    title: "Handles",
    group: "Objects",
    about: "The handles of all processes.",
    rows: (report) => list(report, "handles"),
    columns: [
      PID,
      IMAGE,
      { key: "handle", kind: "hexadecimal" },
      { key: "type" },
      { key: "granted_access", title: "access", kind: "hexadecimal" },
      { key: "handle_attributes", title: "attributes" },
      { key: "object_address", title: "object", kind: "hexadecimal" },
      { key: "name" },
      { key: "name_status" },
      { key: "access_names", title: "rights" },
    ],
    links: (row) => [
      ...ofProcess(row),
      ...(typeof row.object_address === "string"
        ? [{ title: "All handles to this object", view: "handles", filter: `object_address:${row.object_address}` }]
        : []),
      ...ofType("type")(row),
    ],
  },
  {
    id: "handles-by-type",
    title: "Handles by type",
    group: "Objects",
    about: "How many handles there are to objects of each type, and how many processes have any.",
    rows: (report) => counted(list(report, "handles"), ["type"], ["pid", "process_count"]),
    columns: [
      { key: "type" },
      { key: "handle_count", title: "handles", kind: "number" },
      { key: "process_count", title: "processes", kind: "number" },
    ],
    links: ofType("type"),
  },
  {
    id: "handles-by-process",
    title: "Handles by process",
    group: "Objects",
    about: "How many handles each process has, and to objects of how many types.",
    rows: (report) => counted(list(report, "handles"), ["pid", "image"], ["type", "type_count"]),
    columns: [
      PID,
      IMAGE,
      { key: "handle_count", title: "handles", kind: "number" },
      { key: "type_count", title: "types", kind: "number" },
    ],
    links: ofProcess,
  },
  {
    id: "objects",
    title: "Objects",
    group: "Objects",
    about: "The distinct objects behind the handles, and those that the capture opened by name, with their holders.",
    rows: (report) => list(report, "objects"),
    columns: [
      { key: "type" },
      NAME,
      { key: "name_status" },
      { key: "address", kind: "hexadecimal" },
      { key: "handle_entries", title: "handles listed", kind: "number" },
      { key: "handle_count", title: "handles", kind: "number" },
      { key: "pointer_count", title: "references", kind: "number" },
      HOLDERS,
      { key: "security_descriptor" },
    ],
    links: (row) => [
      ...(typeof row.address === "string"
        ? [{ title: "All handles to this object", view: "handles", filter: `object_address:${row.address}` }]
        : []),
      ...ofType("type")(row),
    ],
  },
  {
    id: "namespace",
    title: "Namespace",
    group: "Objects",
    about: "The object namespace from its root, each entry below its directory.",
    rows: (report) => list(report, "namespace"),
    tree: (rows) => parentsByPath(rows.map((row) => text(row, "path") ?? "")),
    columns: [
      { key: "path", title: "name", show: lastPart },
      { key: "type" },
      { key: "open", title: "opened" },
      { key: "open_error", title: "refused with" },
      { key: "entry_count", title: "entries", kind: "number" },
      { key: "handle_count", title: "handles", kind: "number" },
      { key: "address", kind: "hexadecimal" },
      { key: "listing_error" },
      { key: "security_descriptor" },
    ],
  },
  {
    id: "unnamed-directories",
    title: "Unnamed directories",
    group: "Objects",
    about: "Directories that no path leads to, such as private namespaces, with those who hold them.",
    rows: (report) => list(report, "unnamed_directories"),
    columns: [
      { key: "address", kind: "hexadecimal" },
      { key: "name_status" },
      HOLDERS,
      { key: "listing_error" },
      { key: "entries" },
    ],
  },
  {
    id: "symlinks",
    title: "Symbolic links",
    group: "Objects",
    about: "Symbolic links of the namespace, and what each leads to in the end.",
    rows: (report) => list(report, "symlinks"),
    columns: [
      { key: "path" },
      { key: "target" },
      { key: "target_status" },
      { key: "resolved_path" },
      { key: "resolved_type" },
      { key: "creation_time", title: "created", kind: "moment" },
      { key: "dynamic" },
      { key: "target_error" },
    ],
  },
  {
    id: "types",
    title: "Object types",
    group: "Objects",
    about: "The types of objects with the kernel's own statistics.",
    rows: (report) => list(report, "types"),
    columns: [
      { key: "name" },
      { key: "index", kind: "number" },
      { key: "object_count", title: "objects", kind: "number" },
      { key: "peak_object_count", title: "peak objects", kind: "number" },
      { key: "handle_count", title: "handles", kind: "number" },
      { key: "peak_handle_count", title: "peak handles", kind: "number" },
      { key: "pool_type" },
      { key: "valid_access_mask", kind: "hexadecimal" },
    ],
    links: ofType("name"),
  },
  {
    id: "modules",
    title: "Kernel modules",
    group: "Kernel",
    about: "The kernel, its libraries and its drivers, in the order of loading.",
    rows: (report) => list(report, "modules"),
    columns: [
      { key: "load_order", title: "order", kind: "number" },
      { key: "name" },
      { key: "base", kind: "hexadecimal" },
      { key: "size", kind: "size" },
      { key: "load_count", kind: "number" },
      { key: "checksum", kind: "hexadecimal" },
      { key: "path" },
    ],
  },
  {
    id: "memory",
    title: "Memory",
    group: "Kernel",
    about: "Where the memory of the system is.",
    rows: (report) => {
      // These have tables of their own.
      const { pool_tags, processes, ...memory } = record(report, "memory");
      return facts(memory, memoryFact);
    },
    columns: [NAME, { key: "value" }],
  },
  {
    id: "pool-tags",
    title: "Pool tags",
    group: "Kernel",
    about: "Who uses the kernel's pools: memory by the tag it was allocated with.",
    rows: (report) => list(report, "memory", "pool_tags"),
    columns: [
      { key: "tag" },
      { key: "size", kind: "size" },
      { key: "paged", kind: "size" },
      { key: "nonpaged", kind: "size" },
      { key: "allocations", kind: "number" },
    ],
  },
  {
    id: "drivers",
    title: "Drivers",
    group: "Kernel",
    about: "Driver objects, kernel modules and service entries put together.",
    rows: (report) => list(report, "drivers", "drivers"),
    columns: [
      NAME,
      { key: "state" },
      { key: "service" },
      { key: "start" },
      { key: "group" },
      { key: "driver_object" },
      { key: "module" },
      { key: "base", kind: "hexadecimal" },
      { key: "image_path" },
      { key: "device" },
    ],
  },
  {
    id: "minifilters",
    title: "Minifilters",
    group: "Kernel",
    about: "Instances of file system minifilters, the highest altitude first.",
    rows: (report) => list(report, "registry", "minifilters"),
    columns: [
      { key: "altitude" },
      { key: "service" },
      { key: "instance" },
      { key: "group" },
      { key: "flags", kind: "hexadecimal" },
      { key: "default" },
    ],
  },
  {
    id: "wfp",
    title: "Filters (WFP)",
    group: "Kernel",
    about: "The boot-time and persistent policy of the Windows Filtering Platform, from the registry.",
    rows: (report) => [...list(report, "wfp", "objects"), ...list(report, "wfp", "unreadable")],
    columns: [
      { key: "store" },
      { key: "kind" },
      { key: "display_name" },
      { key: "layer" },
      { key: "guid", title: "GUID" },
      { key: "size", kind: "number" },
      { key: "encoding" },
      { key: "path", title: "key that could not be read" },
      { key: "status" },
      { key: "sha256", title: "SHA-256" },
    ],
  },
  {
    id: "hives",
    title: "Hives",
    group: "Registry",
    about: "The hives, and which are loaded at this moment.",
    rows: (report) => list(report, "registry", "hives", "hives"),
    columns: [
      { key: "path" },
      { key: "loaded" },
      { key: "listed", title: "in the hive list" },
      { key: "key_exists" },
      { key: "last_write_time", title: "written", kind: "moment" },
      { key: "file" },
    ],
  },
  {
    id: "values",
    title: "Keys that decide the boot",
    group: "Registry",
    about: "The Session Manager's key and others that decide the boot, each with its values.",
    rows: (report) => values([...list(report, "registry", "session_manager"), ...list(report, "registry", "control")]),
    tree: below,
    columns: [
      NAME,
      { key: "type" },
      { key: "data" },
      { key: "size", kind: "number" },
      { key: "last_write_time", title: "written", kind: "moment" },
      { key: "status" },
    ],
  },
  {
    id: "services",
    title: "Services",
    group: "Registry",
    about: "Service entries in the order of loading, those that start earlier first.",
    rows: (report) => list(report, "registry", "services"),
    columns: [
      NAME,
      { key: "type" },
      { key: "start" },
      { key: "load_order", kind: "number" },
      { key: "group" },
      { key: "error_control" },
      { key: "image_path" },
      { key: "display_name" },
      { key: "status" },
    ],
  },
  {
    id: "registry-links",
    title: "Link keys",
    group: "Registry",
    about: "Keys that lead to another key.",
    rows: (report) => list(report, "registry", "links", "links"),
    columns: [
      { key: "path" },
      { key: "target" },
      { key: "volatile" },
      { key: "last_write_time", title: "written", kind: "moment" },
      { key: "status" },
    ],
  },
  {
    id: "open-keys",
    title: "Open keys",
    group: "Registry",
    about: "Keys that processes have open, by hive, with their holders.",
    rows: (report) =>
      list(report, "registry", "keys", "hives").flatMap(({ hive, reachable, keys }) =>
        (Array.isArray(keys) ? keys.filter(isRow) : []).map((key) => ({ hive, reachable, ...key })),
      ),
    columns: [{ key: "hive" }, { key: "reachable" }, { key: "path" }, HOLDERS],
  },
  {
    id: "autologgers",
    title: "Autologgers",
    group: "Registry",
    about: "Trace sessions that start with the system.",
    rows: (report) => list(report, "registry", "autologgers"),
    columns: [
      NAME,
      { key: "start" },
      { key: "level", kind: "number" },
      { key: "buffer_size", title: "buffer KiB", kind: "number" },
      { key: "maximum_buffers", kind: "number" },
      { key: "guid", title: "GUID" },
      { key: "file" },
      { key: "status" },
    ],
  },
  {
    id: "boot",
    title: "Boot",
    group: "System",
    about: "How the system was booted, and the Session Manager's lists as they stood.",
    rows: (report) => facts(record(report, "boot")),
    columns: [NAME, { key: "value" }],
  },
  {
    id: "firmware-variables",
    title: "UEFI variables",
    group: "System",
    about: "The firmware's variables that decide the boot.",
    rows: (report) => list(report, "firmware_variables"),
    columns: [
      NAME,
      { key: "vendor" },
      { key: "size", kind: "number" },
      { key: "attribute_names", title: "attributes" },
      { key: "value" },
      { key: "sha256", title: "SHA-256" },
    ],
  },
  {
    id: "sections",
    title: "Questions",
    group: "Snapshot",
    about: "What the capture asked, what came of it, and what it cost.",
    rows: (report) => questions(list(report, "summary", "sections")),
    tree: below,
    columns: [
      { key: "question" },
      { key: "family" },
      { key: "outcome" },
      { key: "status_name", title: "status" },
      { key: "count", kind: "number" },
      { key: "bytes", kind: "number" },
      { key: "duration", title: "time", kind: "duration" },
      { key: "tries", kind: "number" },
      { key: "name" },
      { key: "value_name" },
    ],
  },
  {
    id: "peb",
    title: "PEB",
    group: "Snapshot",
    about: "The process environment block that bootshot was given, and its process parameters.",
    rows: (report) => [...list(report, "peb", "fields"), ...list(report, "peb", "process_parameters")],
    columns: [
      { key: "offset", kind: "hexadecimal" },
      { key: "name" },
      { key: "type" },
      { key: "value" },
      { key: "purpose" },
    ],
  },
  {
    id: "problems",
    title: "Problems",
    group: "Snapshot",
    about: "What could not be read, and where. What lies around it was read all the same.",
    rows: (report) => report.problems,
    columns: [
      { key: "about" },
      { key: "section", kind: "number" },
      { key: "offset", kind: "number" },
      { key: "what" },
      { key: "expected" },
      { key: "actual", title: "found" },
    ],
  },
];

/** `smss.exe (300) 0x4c` for each holder; empty when nobody is one. */
function holders(row: Row): string {
  if (!Array.isArray(row.holders)) {
    return NOTHING;
  }
  const held = row.holders.filter(isRow);
  return held.map((by) => `${shown(by.image)} (${shown(by.pid)}) ${shown(by.handle)}`).join(", ");
}

/** The last part of a path. */
function lastPart(row: Row): string {
  const path = text(row, "path") ?? "";
  return shown(path.slice(path.lastIndexOf("\\") + 1) || path);
}

/** Rows that say themselves which row they stand below. */
function below(rows: Row[]): Parents {
  return Int32Array.from(rows, (row) => number(row, "below"));
}

/** The keys, and behind each its values, which stand `below` it. */
function values(keys: Row[]): Row[] {
  const rows: Row[] = [];
  for (const key of keys) {
    const { values, path, ...rest } = key;
    const place = rows.length;
    rows.push({ name: path, below: -1, ...rest });
    for (const value of Array.isArray(values) ? values.filter(isRow) : []) {
      rows.push({ below: place, ...value, name: value.name === "" ? "(default)" : value.name });
    }
  }
  return rows;
}

/** In parentheses, when that process has ended. */
function parent(process: Row): string {
  const pid = shown(process.parent_pid);
  return process.parent_status === "alive" ? pid : process.parent_status === null ? NOTHING : `(${pid})`;
}

/** A parent that has ended, or whose id is another's by now, is no parent. */
function processParents(processes: Row[]): Parents {
  const places = new Map(processes.map((process, place) => [process.pid, place]));
  const parents = Int32Array.from(processes, (process, place) => {
    const parent = process.parent_status === "alive" ? places.get(process.parent_pid) : undefined;
    return parent === undefined || parent === place ? -1 : parent;
  });
  return withoutCircles(parents);
}

/** How many rows there are with the same values at `keys`, and how many values at `distinct` they have; most first. */
function counted(rows: Row[], keys: string[], [distinct, distinctCount]: [string, string]): Row[] {
  const groups = new Map<string, { row: Row; count: number; values: Set<Value | undefined> }>();
  for (const row of rows) {
    const name = keys.map((key) => row[key]).join("\0");
    let group = groups.get(name);
    if (group === undefined) {
      group = { row, count: 0, values: new Set() };
      groups.set(name, group);
    }
    group.count += 1;
    group.values.add(row[distinct]);
  }
  return [...groups.values()]
    .sort((one, other) => other.count - one.count)
    .map(({ row, count, values }) => ({
      ...Object.fromEntries(keys.map((key) => [key, row[key]])),
      handle_count: count,
      [distinctCount]: values.size,
    }));
}

/** The values in a record and the records in it, with the way to each: `name`, `value`. */
export function facts(of: Row, show: (key: string, value: Value) => string = plainFact, way = ""): Row[] {
  return Object.entries(of).flatMap(([key, value]) => {
    const name = `${way}${words(key)}`;
    if (isRow(value)) {
      return facts(value, show, `${name} › `);
    }
    if (Array.isArray(value) && value.some(isRow)) {
      return value.flatMap((item, place) => facts(isRow(item) ? item : { item }, show, `${name} ${place + 1} › `));
    }
    const lines = Array.isArray(value) && value.length > 0 && key !== "option_names" ? value : [value];
    return lines.map((line) => ({ name, value: show(key, line ?? null) }));
  });
}

function plainFact(key: string, value: Value): string {
  return shown(value, key.endsWith("_time") ? "moment" : "text");
}

/** What of the memory record is no size. */
const COUNTS = new Set(["allocations", "frees", "page_faults"]);

function memoryFact(key: string, value: Value): string {
  if (typeof value !== "number") {
    return shown(value);
  }
  const exact = shown(value, "number");
  return COUNTS.has(key) || value < 1024 ? exact : `${size(value)} (${exact})`;
}

/** The sections, and behind each the answers in it, which stand `below` it. */
function questions(sections: Row[]): Row[] {
  const rows: Row[] = [];
  for (const section of sections) {
    const { items, ...rest } = section;
    const place = rows.length;
    rows.push({ question: `${shown(section.section)} ${question(section)}`, below: -1, ...rest });
    for (const item of Array.isArray(items) ? items.filter(isRow) : []) {
      rows.push({ question: question(item), below: place, ...item });
    }
  }
  return rows;
}

/** The class by name, or who was asked with its number. */
export function question(answer: Row): string {
  const source = text(answer, "source") ?? NOTHING;
  return text(answer, "class_name") ?? (source === "batch" ? source : `${source} ${shown(answer.class)}`);
}
