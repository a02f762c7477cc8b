// Rows below rows.

/** For each row the place of the row it stands below, or -1. */
export type Parents = Int32Array;

/** A row of a tree that is seen. */
export interface Branch {
  row: number;
  /** From 1. */
  level: number;
  children: number;
}

/** Parents without circles: one of the rows that stand below each other in a circle loses its parent. */
export function withoutCircles(parents: Parents): Parents {
  const settled = new Uint8Array(parents.length);
  for (let start = 0; start < parents.length; start += 1) {
    const way: number[] = [];
    const seen = new Set<number>();
    let at = start;
    while (at !== -1 && settled[at] === 0) {
      if (seen.has(at)) {
        parents[at] = -1;
        break;
      }
      seen.add(at);
      way.push(at);
      at = parents[at] ?? -1;
    }
    for (const row of way) {
      settled[row] = 1;
    }
  }
  return parents;
}

/** The rows of `wanted` and those above them, in the order of `sorted`, without what is below a closed row. */
export function branches(parents: Parents, sorted: Int32Array, wanted: Set<number> | null, closed: Set<number>): Branch[] {
  const included = wanted === null ? null : withAncestors(parents, wanted);
  const below = new Map<number, number[]>();
  for (const row of sorted) {
    if (included === null || included.has(row)) {
      const parent = parents[row] ?? -1;
      const siblings = below.get(parent);
      if (siblings === undefined) {
        below.set(parent, [row]);
      } else {
        siblings.push(row);
      }
    }
  }
  const seen: Branch[] = [];
  const open = (below.get(-1) ?? []).toReversed().map((row) => ({ row, level: 1 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const children = below.get(next.row) ?? [];
    seen.push({ ...next, children: children.length });
    if (!closed.has(next.row)) {
      for (const row of children.toReversed()) {
        open.push({ row, level: next.level + 1 });
      }
    }
  }
  return seen;
}

function withAncestors(parents: Parents, rows: Set<number>): Set<number> {
  const all = new Set(rows);
  for (const row of rows) {
    for (let at = parents[row] ?? -1; at !== -1 && !all.has(at); at = parents[at] ?? -1) {
      all.add(at);
    }
  }
  return all;
}

/** Parents by paths such as `\A\B`, where a row's path less its last part is the path of its parent. */
export function parentsByPath(paths: string[]): Parents {
  const places = new Map(paths.map((path, place) => [path.toLowerCase(), place]));
  const parents = new Int32Array(paths.length).fill(-1);
  paths.forEach((path, place) => {
    if (path !== "\\") {
      const above = path.slice(0, path.lastIndexOf("\\")) || "\\";
      const parent = places.get(above.toLowerCase());
      parents[place] = parent === undefined || parent === place ? -1 : parent;
    }
  });
  return withoutCircles(parents);
}
