// The page: views on the left, search on top, the chosen view, and the details of a row beside it.

import type { JSX } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { Details } from "./details";
import { Grid } from "./grid";
import { headline, Overview } from "./overview";
import { record, type Report, type Row } from "./report";
import type { Library } from "./rows";
import { Search } from "./search";
import { grouped, shown } from "./shown";
import { type Group, TABLES, type Table } from "./tables";

interface View {
  id: string;
  title: string;
  group: Group;
}

const OVERVIEW: View = { id: "overview", title: "Overview", group: "System" };
const LICENCES: View = { id: "licences", title: "Licences", group: "Snapshot" };
const GROUPS: Group[] = ["System", "Processes", "Objects", "Kernel", "Registry", "Snapshot"];
const VIEWS: View[] = [OVERVIEW, ...TABLES, LICENCES].toSorted(
  (one, other) => GROUPS.indexOf(one.group) - GROUPS.indexOf(other.group),
);

const THEMES = ["system", "light", "dark"] as const;

/** Whether a report has a view. */
function exists(view: View, report: Report): boolean {
  return TABLES.find((table) => table.id === view.id)?.exists?.(report) ?? true;
}

/** The view that the address names: `#handles`. */
function addressed(): View {
  return VIEWS.find((view) => `#${view.id}` === location.hash) ?? OVERVIEW;
}

export function App({ library }: { library: Library }): JSX.Element {
  const { report } = library;
  const views = useMemo(() => VIEWS.filter((candidate) => exists(candidate, report)), [report]);
  const [view, setView] = useState(addressed);
  const [filters, setFilters] = useState<Record<string, string>>({});
  const [query, setQuery] = useState("");
  const [opened, setOpened] = useState<{ table: Table; row: Row } | null>(null);
  const searchBox = useRef<HTMLInputElement>(null);
  const main = useRef<HTMLElement>(null);
  const mostCommit = useMemo(() => library.mostCommit(), [library]);

  const choose = (chosen: View) => {
    history.replaceState(null, "", `#${chosen.id}`);
    setView(chosen);
    setQuery("");
    setOpened(null);
  };
  const go = (id: string, filter = "") => {
    const chosen = VIEWS.find((candidate) => candidate.id === id);
    if (chosen !== undefined) {
      setFilters({ ...filters, [id]: filter });
      choose(chosen);
      focusGrid();
    }
  };
  const focusGrid = () => requestAnimationFrame(() => main.current?.querySelector<HTMLElement>(".grid")?.focus());

  // Not after the frame: a key that is pressed as soon as the page is seen would be lost.
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLInputElement;
      if (event.key === "/" && !typing && !event.ctrlKey && !event.altKey && !event.metaKey) {
        event.preventDefault();
        searchBox.current?.focus();
        searchBox.current?.select();
      }
    };
    const onHashChange = () => setView(addressed());
    addEventListener("keydown", onKeyDown);
    addEventListener("hashchange", onHashChange);
    return () => {
      removeEventListener("keydown", onKeyDown);
      removeEventListener("hashchange", onHashChange);
    };
  }, []);

  const table = TABLES.find((candidate) => candidate.id === view.id);
  const searching = query.trim() !== "";
  return (
    <>
      <header>
        <h1>{shown(report.file)}</h1>
        <p class="note">{headline(report)}</p>
        <label class="search">
          <span class="unseen">Search everything</span>
          <input
            ref={searchBox}
            type="search"
            placeholder="Search everything ( / )"
            value={query}
            onInput={(event) => {
              setQuery(event.currentTarget.value);
              setOpened(null);
            }}
            onKeyDown={(event) => {
              if (event.key === "Escape") {
                setQuery("");
                focusGrid();
              }
            }}
          />
        </label>
        <Theme />
      </header>
      <Tabs library={library} views={views} view={view} onChoose={choose} />
      <main ref={main}>
        <div id="view" role="tabpanel" aria-labelledby={`tab-${view.id}`}>
          {searching ? (
            <Search library={library} query={query} onGo={go} onOpen={(table, row) => setOpened({ table, row })} />
          ) : table !== undefined ? (
            <TableView
              key={table.id}
              library={library}
              table={table}
              filter={filters[table.id] ?? ""}
              onFilter={(filter) => setFilters({ ...filters, [table.id]: filter })}
              mostCommit={mostCommit}
              onOpen={(row) => setOpened({ table, row })}
            />
          ) : view === LICENCES ? (
            <Licences program={report.program} />
          ) : (
            <Overview report={report} onGo={go} />
          )}
        </div>
      </main>
      {opened !== null && (
        <Details
          table={opened.table}
          row={opened.row}
          onClose={() => {
            setOpened(null);
            focusGrid();
          }}
          onFollow={(link) => go(link.view, link.filter)}
        />
      )}
    </>
  );
}

interface TabsProps {
  library: Library;
  views: View[];
  view: View;
  onChoose: (view: View) => void;
}

/** A list of tabs: arrow keys go from one to the next, and choose it. */
function Tabs({ library, views, view, onChoose }: TabsProps): JSX.Element {
  const tabs = useRef<HTMLElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const at = views.indexOf(view);
    const places: Record<string, number> = {
      ArrowDown: (at + 1) % views.length,
      ArrowUp: (at + views.length - 1) % views.length,
      Home: 0,
      End: views.length - 1,
    };
    const next = views[places[event.key] ?? -1];
    if (next !== undefined) {
      event.preventDefault();
      onChoose(next);
      tabs.current?.querySelector<HTMLElement>(`#tab-${next.id}`)?.focus();
    }
  };
  return (
    <nav ref={tabs} aria-label="Views">
      <div role="tablist" aria-orientation="vertical" onKeyDown={onKeyDown}>
        {GROUPS.filter((group) => views.some((tab) => tab.group === group)).map((group) => (
          <div role="presentation">
            <h2 role="presentation">{group}</h2>
            {views.filter((tab) => tab.group === group).map((tab) => (
              <button
                key={tab.id}
                id={`tab-${tab.id}`}
                type="button"
                role="tab"
                aria-selected={tab === view}
                aria-controls="view"
                tabIndex={tab === view ? 0 : -1}
                onClick={() => onChoose(tab)}
              >
                {tab.title}
                <Count library={library} id={tab.id} />
              </button>
            ))}
          </div>
        ))}
      </div>
    </nav>
  );
}

/** How many rows a view has, where that is known without making them. */
function Count({ library, id }: { library: Library; id: string }): JSX.Element | null {
  const { report } = library;
  const known = id === "problems" ? report.problems.length : record(report, "summary", "counts")[id];
  return typeof known === "number" ? <span class="note">{grouped(known)}</span> : null;
}

interface TableViewProps {
  library: Library;
  table: Table;
  filter: string;
  onFilter: (filter: string) => void;
  mostCommit: number;
  onOpen: (row: Row) => void;
}

function TableView({ library, table, filter, onFilter, mostCommit, onOpen }: TableViewProps): JSX.Element {
  return (
    <div class="table">
      <div class="toolbar">
        <h2>{table.title}</h2>
        <label>
          <span class="unseen">Filter {table.title}</span>
          <input
            type="search"
            placeholder={`Filter: words, or ${table.columns[0]?.key ?? "key"}:value`}
            value={filter}
            onInput={(event) => onFilter(event.currentTarget.value)}
          />
        </label>
        <p class="note">{table.about}</p>
      </div>
      <Grid rows={library.of(table)} filter={filter} mostCommit={mostCommit} onOpen={onOpen} />
    </div>
  );
}

/** Which colours: those of the system, or chosen. */
function Theme(): JSX.Element {
  const [theme, setTheme] = useState<(typeof THEMES)[number]>("system");
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
  return (
    <button type="button" class="theme" onClick={() => setTheme(next)}>
      Colours: {theme}
    </button>
  );
}

function Licences({ program }: { program: string }): JSX.Element {
  return (
    <div class="licences">
      <h2>Licences</h2>
      <p>Written by {shown(program)}. This page contains:</p>
      <pre tabIndex={0}>{document.getElementById("licences")?.textContent}</pre>
    </div>
  );
}
