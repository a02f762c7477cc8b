// Reports of the companion in a real, headless Chromium, against what the companion prints as JSON.
//
// `cargo xtask test` runs it and names the parts it needs: BOOTSHOT_TEST_COMPANION, BOOTSHOT_TEST_SNAPSHOTS (a folder
// with what tools/test-snapshots/examples/report_snapshots.rs writes) and BOOTSHOT_CHROMIUM. With BOOTSHOT_SCREENSHOTS
// it leaves the book's screenshots in that folder.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

const COMPANION = required("BOOTSHOT_TEST_COMPANION");
const SNAPSHOTS = required("BOOTSHOT_TEST_SNAPSHOTS");
const SCREENSHOTS = process.env.BOOTSHOT_SCREENSHOTS;
const GOLDEN_FOLDER = path.join(import.meta.dirname, "..", "..", "reader", "golden");
const GOLDEN = readdirSync(GOLDEN_FOLDER).map((name) => path.join(GOLDEN_FOLDER, name));
const MANY = path.join(SNAPSHOTS, "many-handles.bshot");
const EVERYTHING = path.join(SNAPSHOTS, "everything.bshot");
const HOSTILE = path.join(SNAPSHOTS, "hostile-names.bshot");

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Milliseconds that something may take which otherwise takes none: machines that run tests are slow at times. */
const PATIENCE = 180_000;

const folder = mkdtempSync(path.join(tmpdir(), "bootshot-report-"));
let browser;

before(async () => {
  browser = await chromium.launch({ executablePath: required("BOOTSHOT_CHROMIUM"), args: FLAGS, timeout: PATIENCE });
});

after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

function required(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set: run this through "cargo xtask test"`);
  return value;
}

const printed = new Map();

/** What the companion prints for a snapshot; asked once. */
function json(command, snapshot, ...options) {
  const line = [command, snapshot, "--json", ...options];
  const key = line.join("\0");
  if (!printed.has(key)) {
    printed.set(key, JSON.parse(execFileSync(COMPANION, line, { maxBuffer: 1 << 28 }).toString()));
  }
  return printed.get(key);
}

/** The file of the report of a snapshot, compared with another one where it is named; made once. */
function reportOf(snapshot, other) {
  const [name, since] = [snapshot, other ?? ""].map((file) => path.basename(file, ".bshot"));
  const report = path.join(folder, `${name}${since}.html`);
  if (!readdirSync(folder).includes(path.basename(report))) {
    const compare = other === undefined ? [] : ["--compare", other];
    execFileSync(COMPANION, ["report", snapshot, ...compare, "-o", report], { stdio: "pipe" });
  }
  return report;
}

/** The golden snapshot of the format's first version that was taken at this moment. */
const golden = (phase) => GOLDEN.find((name) => path.basename(name).startsWith("v1-") && name.endsWith(`${phase}.bshot`));

/**
 * Opens a report, looks at it, and holds it to what holds for every one: no error, no dialog, no request. `before` runs
 * in the page before anything of its own does.
 */
async function look(report, { before, ...options }, visit) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
  if (before !== undefined) {
    await page.addInitScript(before);
  }
  page.setDefaultTimeout(PATIENCE);
  const faults = [];
  const address = pathToFileURL(report).href;
  page.on("console", (message) => faults.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`error: ${error}`));
  page.on("dialog", (dialog) => faults.push(`dialog: ${dialog.message()}`));
  page.on("request", (request) => {
    if (request.url().split("#")[0] !== address) {
      faults.push(`request: ${request.url()}`);
    }
  });
  try {
    await page.goto(address);
    await page.waitForFunction(() => performance.getEntriesByName("bootshot-ready").length === 1);
    await visit(page, faults);
    assert.deepEqual(faults, []);
  } finally {
    await page.close();
  }
}

/** Asks until what is asked is as `check` wants it: the page is drawn again some time after a key or a click. */
async function settles(ask, check) {
  for (const start = Date.now(); ; ) {
    const actual = await ask();
    try {
      check(actual);
      return actual;
    } catch (error) {
      if (Date.now() - start > PATIENCE) {
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** The same with a text or a pattern. */
function becomes(ask, expected, message) {
  const check = expected instanceof RegExp ? assert.match : assert.equal;
  return settles(ask, (actual) => check(actual, expected, message));
}

async function choose(page, view) {
  const tab = page.getByRole("tab", { name: view });
  await tab.click();
  await becomes(() => tab.getAttribute("aria-selected"), "true");
}

const count = (page) => page.locator(".count").textContent();
const filter = (page, words) => page.locator(".toolbar input").fill(words);

/** The rows that are drawn, as arrays of what their cells show. */
function drawn(page) {
  return page.locator(".row:not(.header)").evaluateAll((rows) =>
    rows.map((row) => [...row.querySelectorAll("[role=gridcell]")].map((cell) => cell.title)),
  );
}

/** What the cursor is on. */
function active(page) {
  return page.locator(".row.active").evaluateAll(([row]) => row?.textContent);
}

const size = (bytes) => `${bytes.toLocaleString("en-GB")}`;

test("every golden snapshot is shown with the records that the commands print", async () => {
  assert.ok(GOLDEN.length >= 2);
  for (const snapshot of GOLDEN) {
    const summary = json("summary", snapshot);
    await look(reportOf(snapshot), {}, async (page) => {
      const overview = await page.getByRole("tabpanel").innerText();
      for (const fact of [summary.snapshot_id, summary.system.nt_version, "The capture came to its end."]) {
        assert.ok(overview.includes(fact), fact);
      }
      const lanes = await page.locator(".lane .label").allTextContents();
      assert.ok(lanes.includes(`services.exe 56`), lanes.join());
      for (const section of summary.sections) {
        assert.ok(lanes.includes(`${section.section} ${section.family}`), lanes.join());
      }
      for (const [view, command, cells] of [
        ["Process tree", "processes", (row) => [row.image, String(row.pid)]],
        ["Threads", "threads", (row) => [String(row.tid), String(row.pid)]],
        ["Handles", "handles", (row) => [String(row.pid), row.image, row.handle, row.type]],
        ["Object types", "types", (row) => [row.name, String(row.index), size(row.object_count)]],
        ["Kernel modules", "modules", (row) => [String(row.load_order), row.name, row.base]],
      ]) {
        const rows = json(command, snapshot);
        await page.getByRole("tab", { name: new RegExp(`^${view} ?[\\d,]*$`) }).click();
        await becomes(() => count(page), `${size(rows.length)} rows`, view);
        const wanted = rows.map((row) => cells(row).join("\0"));
        await settles(() => drawn(page), (found) => {
          const shown = found.map((row) => row.join("\0"));
          for (const row of wanted.slice(0, 20)) {
            assert.ok(shown.some((candidate) => candidate.startsWith(row)), `${view}: ${row.split("\0")}`);
          }
        });
      }
    });
  }
});

test("every kind of record has its table, with every record in it", async () => {
  const [hives, links, keys, services, minifilters, autologgers] = [
    "hives",
    "links",
    "keys",
    "services",
    "minifilters",
    "autologgers",
  ].map((view) => json("registry", EVERYTHING, view, ...(view === "services" ? ["--all"] : [])));
  const decidingKeys = ["session-manager", "control"].flatMap((view) => json("registry", EVERYTHING, view));
  const zombies = [...json("zombies", EVERYTHING, "--all"), ...json("zombies", EVERYTHING, "--threads", "--all")];
  const wfp = json("wfp", EVERYTHING);
  const tables = [
    ["Zombies", new Set(zombies.map((zombie) => `${zombie.pid} ${zombie.tid}`)).size],
    ["Jobs", json("jobs", EVERYTHING).length],
    ["Objects", json("objects", EVERYTHING).objects.length],
    ["Unnamed directories", json("namespace", EVERYTHING, "--unnamed").length],
    ["Symbolic links", json("symlinks", EVERYTHING).length],
    ["Drivers", json("drivers", EVERYTHING).drivers.length],
    ["Minifilters", minifilters.length],
    ["Filters (WFP)", wfp.objects.length + wfp.unreadable.length],
    ["UEFI variables", json("boot", EVERYTHING, "--variables").length],
    ["Hives", hives.hives.length],
    ["Keys that decide the boot", decidingKeys.reduce((sum, key) => sum + 1 + key.values.length, 0)],
    ["Services", services.length],
    ["Link keys", links.links.length],
    ["Open keys", keys.hives.reduce((sum, hive) => sum + hive.keys.length, 0)],
    ["Autologgers", autologgers.length],
  ];
  await look(reportOf(EVERYTHING), {}, async (page) => {
    for (const [title, rows] of tables) {
      await page.getByRole("tab", { name: title, exact: true }).click();
      await becomes(() => count(page), `${size(rows)} ${rows === 1 ? "row" : "rows"}`, title);
    }
    assert.ok(tables.filter(([, rows]) => rows > 0).length >= 13, "the snapshot has something for nearly every table");

    await page.getByRole("tab", { name: "Namespace", exact: true }).click();
    const entries = json("namespace", EVERYTHING, "--find", "BcdSyncMutant");
    assert.equal(entries.length, 1);
    await filter(page, "BcdSyncMutant");
    const levels = () => page.locator(".row:not(.header)").evaluateAll((found) => found.map((row) => Number(row.ariaLevel)));
    await settles(levels, (found) => {
      assert.ok(found.length >= 2, "the directory above it is shown as well");
      assert.deepEqual(found, found.map((_, above) => above + 1), "and nothing else");
    });
    await page.getByRole("row", { name: /BcdSyncMutant/ }).waitFor();
  });
});

test("the details of a row say everything that its record does", async () => {
  const [snapshot] = GOLDEN;
  const process = json("processes", snapshot).find((candidate) => candidate.image === "services.exe");
  await look(reportOf(snapshot), {}, async (page) => {
    await choose(page, "Process tree");
    await page.getByRole("row", { name: /services\.exe/ }).click();
    const details = page.getByRole("complementary", { name: "Details" });
    const keys = Object.keys(process).map((key) => key.replaceAll("_", " "));
    const terms = await settles(() => details.locator("dt").allTextContents(), (found) => assert.deepEqual(found, keys));
    const values = await details.locator("dd").allTextContents();
    const said = Object.fromEntries(terms.map((term, place) => [term, values[place]]));
    assert.equal(said["command line"], process.command_line);
    assert.equal(said["create time"], process.create_time, "to the last digit");
    assert.ok(said["private commit"].includes(size(process.private_commit)), said["private commit"]);

    await details.getByRole("button", { name: "Its handles" }).click();
    const handles = json("handles", snapshot, "--pid", String(process.pid));
    await becomes(() => count(page), new RegExp(`^${handles.length} of `));
  });
});

test("what came, went and changed since another snapshot is what diff prints", async () => {
  const [first, second] = [golden("bootexecute"), golden("live")];
  const line = ["diff", first, second, "--json"];
  const { stdout, status } = spawnSync(COMPANION, line, { maxBuffer: 1 << 28 });
  assert.equal(status, 1, "there are differences");
  const { subjects } = JSON.parse(stdout.toString());
  const all = subjects.flatMap(({ name, added, removed, changed, not_comparable }) => [
    ...added.map((entry) => [name, "came", entry.name]),
    ...removed.map((entry) => [name, "went", entry.name]),
    ...changed.map((entry) => [name, "changed", entry.name]),
    ...not_comparable.map((entry) => [name, "not comparable", entry.below ?? "–"]),
  ]);
  assert.ok(all.length > 20);
  await look(reportOf(second, first), {}, async (page) => {
    await page.getByRole("heading", { name: `Since ${path.basename(first)}` }).waitFor();
    const processes = subjects.find((subject) => subject.name === "processes");
    const cells = page.getByRole("row").filter({ has: page.getByRole("button", { name: "processes", exact: true }) }).getByRole("cell");
    await becomes(() => cells.first().textContent(), size(processes.added.length));
    await choose(page, "Differences");
    await becomes(() => count(page), `${size(all.length)} rows`);
    await settles(() => drawn(page), (rows) => {
      assert.ok(rows.length > 0);
      assert.deepEqual(rows.map((row) => row.slice(0, 3)), all.slice(0, rows.length));
    });
  });
  await look(reportOf(first), {}, async (page) => {
    await becomes(() => page.getByRole("tab", { name: "Differences" }).count(), 0);
  });
});

test("handles are counted as the command counts them", async () => {
  const [snapshot] = GOLDEN;
  await look(reportOf(snapshot), {}, async (page) => {
    await choose(page, "Handles by type");
    const byType = json("handles", snapshot, "--by-type");
    const types = byType.map((row) => [row.type, size(row.handle_count), size(row.process_count)]).toSorted();
    await settles(() => drawn(page), (rows) => assert.deepEqual(rows.toSorted(), types));
    await choose(page, "Handles by process");
    const byProcess = json("handles", snapshot, "--by-process");
    const processes = byProcess.map((row) => [String(row.pid), row.image, size(row.handle_count)]).toSorted();
    await settles(() => drawn(page), (rows) => assert.deepEqual(rows.map((row) => row.slice(0, 3)).toSorted(), processes));
  });
});

test("one search finds rows of every table, and leads to them", async () => {
  const [snapshot] = GOLDEN;
  await look(reportOf(snapshot), {}, async (page) => {
    await page.keyboard.press("/");
    await page.keyboard.type("WINEDEVICE.exe");
    for (const table of ["Process tree", "Threads", "Handles", "Handles by process"]) {
      await page.getByRole("region", { name: table, exact: true }).waitFor();
    }
    const handles = json("handles", snapshot).filter((handle) => handle.image === "winedevice.exe");
    const region = page.getByRole("region", { name: "Handles", exact: true });
    await becomes(() => region.locator("h2").textContent(), new RegExp(` ${handles.length}$`));
    await region.getByRole("button", { name: `All ${handles.length} in Handles` }).click();
    await becomes(() => count(page), new RegExp(`^${handles.length} of `));

    await page.getByRole("searchbox", { name: "Search everything" }).fill("autocheck autochk");
    await page.getByRole("region", { name: "Boot", exact: true }).waitFor();
    await page.getByRole("searchbox", { name: "Search everything" }).fill("nothing has this in it");
    await page.getByText("0 rows found").waitFor();
  });
});

test("100,000 handles are ready, scrolled, ordered and found without being in the document", async (context) => {
  await look(reportOf(MANY), {}, async (page) => {
    const ready = await page.evaluate(() => performance.getEntriesByName("bootshot-ready")[0].startTime);
    context.diagnostic(`ready after ${Math.round(ready)} ms`);
    await choose(page, /^Handles 100,000$/);
    await becomes(() => count(page), "100,000 rows");
    assert.ok((await drawn(page)).length < 100);

    const frames = await page.locator(".grid").evaluate(async (grid) => {
      const frame = () => new Promise((next) => requestAnimationFrame(next));
      const times = [];
      const step = (grid.scrollHeight - grid.clientHeight) / 60;
      for (let scrolled = 0; scrolled <= 60; scrolled += 1) {
        const start = performance.now();
        grid.scrollTop = scrolled * step;
        await frame();
        await frame();
        times.push((performance.now() - start) / 2);
      }
      return times.toSorted((one, other) => one - other);
    });
    context.diagnostic(`a frame while scrolling: median ${frames[30].toFixed(1)} ms, longest ${frames[60].toFixed(1)} ms`);
    const handles = json("handles", MANY);
    const last = handles.at(-1);
    const cells = [String(last.pid), last.image, last.handle, last.type];
    await settles(() => drawn(page), (rows) => assert.deepEqual(rows.at(-1)?.slice(0, 4), cells));

    const start = Date.now();
    await filter(page, "pid:600 Event");
    await page.getByText(/ of 100,000 rows$/).waitFor();
    context.diagnostic(`first filter after ${Date.now() - start} ms`);
    const found = handles.filter((handle) => handle.pid === 600 && handle.type === "Event").length;
    assert.ok(found > 0);
    await becomes(() => count(page), `${found} of 100,000 rows`);

    await filter(page, "");
    await page.getByRole("columnheader", { name: "object" }).getByRole("button").click();
    await page.getByRole("columnheader", { name: "object" }).getByRole("button").click();
    const addresses = handles.map((handle) => BigInt(handle.object_address));
    const highest = addresses.reduce((most, address) => (address > most ? address : most));
    await settles(() => drawn(page), (rows) => assert.equal(BigInt(rows[0]?.[6] ?? 0), highest));
  });
});

test("names that look like markup or steer what is shown are text", async () => {
  await look(reportOf(HOSTILE), {}, async (page) => {
    await choose(page, "Process tree");
    const images = [
      "<img src=x onerror=alert(1)>",
      "</script><script>alert(1)</script>",
      "--><svg onload=alert(1)>",
      "BOOTSHOT_SNAPSHOT{{SCRIPT}}$&",
      "\\u{202e}gnp.exe",
      "\\u{1b}[2J\\u{7}bell",
      "javascript:alert(1)",
      "constructor __proto__",
    ];
    await settles(() => drawn(page), (rows) => assert.deepEqual(rows.map(([image]) => image), images));
    await page.getByRole("row", { name: /img src/ }).click();
    await page.getByRole("searchbox", { name: "Search everything" }).fill("alert(1)");
    await page.getByRole("region", { name: "Process tree" }).waitFor();
    await page.emulateMedia({ media: "print" });
    await page.locator("#print").waitFor({ state: "visible" });
    await becomes(() => page.locator("img, svg, iframe, #page script, #print script").count(), 0);
    await becomes(() => page.locator("script").count(), 3, "the page's own");
  });
  const html = readFileSync(reportOf(HOSTILE), "utf8");
  assert.ok(!html.includes("alert(1)"), "not even in the file");
});

test("the page connects to nothing, and lets nothing in it run or connect", async () => {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.end();
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const address = `127.0.0.1:${server.address().port}`;
  try {
    await look(reportOf(GOLDEN[0]), {}, async (page, faults) => {
      const outcome = await page.evaluate(async (at) => {
        const tried = (attempt) => attempt().then(() => "done", () => "refused");
        const loaded = (name) =>
          new Promise((done, failed) => {
            const element = Object.assign(document.createElement(name), { onload: done, onerror: failed });
            element.src = `http://${at}/`;
            document.body.append(element);
          });
        const inline = document.createElement("script");
        inline.textContent = "globalThis.ran = true";
        document.body.append(inline);
        document.body.insertAdjacentHTML("beforeend", `<img src="data:," onerror="globalThis.ran = true">`);
        await new Promise((failed) => document.body.lastElementChild.addEventListener("error", failed));
        return {
          fetch: await tried(() => fetch(`http://${at}/`)),
          image: await tried(() => loaded("img")),
          script: await tried(() => loaded("script")),
          ran: globalThis.ran === true,
        };
      }, address);
      assert.deepEqual(outcome, { fetch: "refused", image: "refused", script: "refused", ran: false });
      assert.equal(asked, 0, "what was refused never left the browser");
      assert.ok(faults.some((fault) => fault.includes("Content Security Policy")), "the browser says who refused it");
      faults.length = 0;
    });
  } finally {
    server.close();
  }
});

test("everything is reached with the keys", async () => {
  await look(reportOf(MANY), {}, async (page) => {
    await page.keyboard.press("/");
    await becomes(() => page.evaluate(() => document.activeElement.type), "search");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await becomes(() => page.evaluate(() => document.activeElement.id), "tab-overview");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, "solid", "the focus is seen");
    for (const next of ["boot", "firmware-variables", "processes"]) {
      await page.keyboard.press("ArrowDown");
      await becomes(() => page.evaluate(() => document.activeElement.id), `tab-${next}`);
    }
    const focused = () => page.evaluate(() => document.activeElement.getAttribute("role"));
    for (let presses = 0; (await focused()) !== "treegrid"; presses += 1) {
      assert.ok(presses < 50, "the tree is reached with Tab");
      await page.keyboard.press("Tab");
    }
    await becomes(() => active(page), /System/);
    await page.keyboard.press("ArrowLeft");
    const tree = page.getByRole("treegrid", { name: "Process tree" });
    await becomes(() => tree.getAttribute("aria-rowcount"), "2", "System is closed");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await becomes(() => active(page), /Registry/);
    await page.keyboard.press("ArrowLeft");
    await becomes(() => active(page), /System/);
    await page.keyboard.press("End");
    await becomes(() => tree.getAttribute("aria-activedescendant"), "processes-row-149");
    await page.locator("#processes-row-149").waitFor();
    await page.keyboard.press("Enter");
    const details = page.getByRole("complementary", { name: "Details" });
    await details.waitFor();
    await page.keyboard.press("Escape");
    await details.waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement.getAttribute("role") === "treegrid");
    await page.keyboard.press("Home");
    await becomes(() => active(page), /System/);
  });
});

test("a key that is pressed as soon as the page is there is not lost", async () => {
  const pressWhenReady = () => {
    const mark = performance.mark.bind(performance);
    performance.mark = (name) => {
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "/", bubbles: true }));
      return mark(name);
    };
  };
  await look(reportOf(GOLDEN[0]), { before: pressWhenReady }, async (page) => {
    assert.equal(await page.evaluate(() => document.activeElement.type), "search");
  });
});

test("the colours follow the system until they are chosen", async () => {
  const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = "rgb(255, 255, 255)";
  await look(reportOf(GOLDEN[0]), { colorScheme: "dark" }, async (page) => {
    const dark = await ground(page);
    assert.notEqual(dark, light);
    await page.getByRole("button", { name: "Colours: system" }).click();
    await becomes(() => ground(page), light);
    await page.getByRole("button", { name: "Colours: light" }).click();
    await page.emulateMedia({ colorScheme: "light" });
    await becomes(() => ground(page), dark);
    await page.getByRole("button", { name: "Colours: dark" }).click();
    await becomes(() => ground(page), light);
  });
});

test("paper gets the overview, the whole process tree, and the beginning of long tables", async () => {
  await look(reportOf(MANY), {}, async (page) => {
    await page.emulateMedia({ media: "print" });
    await page.locator("#print").waitFor({ state: "visible" });
    await becomes(() => page.locator("#page").isVisible(), false);
    const sheet = (title) => page.locator("#print section.printed").filter({ has: page.getByRole("heading", { name: title, exact: true }) });
    await becomes(() => sheet("Process tree").locator("tbody tr").count(), 150);
    await becomes(() => sheet("Process tree").locator(".cut").count(), 0);
    await becomes(() => sheet("Handles").locator("tbody tr").count(), 40);
    await becomes(() => sheet("Handles").locator(".cut").textContent(), /The first 40 of 100,000 rows/);
    await page.emulateMedia({ media: "screen" });
    await page.locator("#print section").first().waitFor({ state: "detached" });

    await page.emulateMedia({ media: null });
    const pdf = (await page.pdf({ format: "A4" })).toString("latin1");
    const pages = pdf.match(/\/Type\s*\/Page\b/g)?.length ?? 0;
    assert.ok(pages >= 3 && pages < 100, `${pages} pages`);
  });
});

test("a file that was damaged later says so", async () => {
  const report = path.join(folder, "damaged-later.html");
  const html = readFileSync(reportOf(GOLDEN[0]), "utf8");
  const place = html.indexOf('id="snapshot">') + 2000;
  writeFileSync(report, `${html.slice(0, place)}AAAA${html.slice(place + 4)}`);
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto(pathToFileURL(report).href);
  await page.getByRole("alert").waitFor();
  await becomes(() => page.getByRole("alert").textContent(), /the file is damaged/);
  await page.close();
});

test("the licences of what is inside are inside", async () => {
  await look(reportOf(GOLDEN[0]), {}, async (page) => {
    await choose(page, "Licences");
    await settles(() => page.getByRole("tabpanel").innerText(), (text) => {
      for (const words of ["preact", "@tanstack/virtual-core", "Permission is hereby granted"]) {
        assert.ok(text.includes(words), words);
      }
    });
  });
});

test("the screenshots of the book", { skip: SCREENSHOTS === undefined && "only when they are asked for" }, async () => {
  const take = (page, name) => page.screenshot({ path: path.join(SCREENSHOTS, `report-${name}.png`) });
  const live = GOLDEN.find((snapshot) => snapshot.includes("live")) ?? GOLDEN[0];
  await look(reportOf(live), {}, (page) => take(page, "overview"));
  await look(reportOf(golden("live"), golden("bootexecute")), {}, async (page) => {
    await choose(page, "Differences");
    await filter(page, "handles");
    await take(page, "differences");
  });
  await look(reportOf(MANY), { colorScheme: "dark" }, async (page) => {
    await choose(page, "Process tree");
    await take(page, "processes");
  });
  await look(reportOf(MANY), {}, async (page) => {
    await choose(page, /^Handles 100,000$/);
    await filter(page, "svchost Section");
    await page.locator(".row.active").click();
    await page.waitForTimeout(200);
    await take(page, "handles");
  });
});
