// Builds the page: one HTML file with a marker where `bootshotctl report` puts a snapshot.
//
//     node build.mjs OUT.html

import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";

import { build } from "esbuild";

/** Where the snapshot goes: tools/bootshotctl/build.rs splits the page there. */
const MARKER = "BOOTSHOT_SNAPSHOT";

const folder = import.meta.dirname;
const output = process.argv[2] ?? path.join(folder, "dist", "report.html");

const bundle = await build({
  absWorkingDir: folder,
  entryPoints: { script: "src/main.tsx", style: "src/style.css" },
  outdir: "out",
  bundle: true,
  write: false,
  minify: true,
  format: "esm",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  // The browsers that have all the page needs, DecompressionStream and light-dark() above all.
  target: ["chrome123", "firefox120", "safari17.5"],
});

const text = (name) => bundle.outputFiles.find((file) => file.path.endsWith(name)).text.trim();
const parts = {
  STYLE: text("style.css"),
  SCRIPT: text("script.js"),
  LICENCES: await licences(Object.keys(bundle.metafile.inputs)),
};
for (const [name, part] of Object.entries(parts)) {
  if (/<\/(script|style)|<!--/i.test(part) || part.includes(MARKER)) {
    throw new Error(`${name} would end the element that it stands in, or holds the marker ${MARKER}`);
  }
}
// By hash, so that nothing else runs or styles, wherever it came from.
parts.POLICY = [
  "default-src 'none'",
  `script-src '${hash(parts.SCRIPT)}'`,
  `style-src '${hash(parts.STYLE)}'`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const template = await readFile(path.join(folder, "page.html"), "utf8");
const page = template.replace(/\{\{(\w+)\}\}/g, (_, name) => parts[name]);
if (page.split(MARKER).length !== 2) {
  throw new Error(`the page has to hold the marker ${MARKER} once`);
}
await mkdir(path.dirname(output), { recursive: true });
await writeFile(output, page);
console.log(`${path.basename(output)}: ${Math.ceil(page.length / 1024)} KiB`);

function hash(content) {
  return `sha256-${createHash("sha256").update(content).digest("base64")}`;
}

/** Name, version and licence text of each package that has a file in the bundle. */
async function licences(files) {
  const packages = files
    .map((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0])
    .filter((place) => place !== undefined);
  const texts = [...new Set(packages)].sort().map(async (place) => {
    const at = path.join(folder, place);
    const about = JSON.parse(await readFile(path.join(at, "package.json"), "utf8"));
    const licence = (await readdir(at)).find((name) => /^licen[cs]e/i.test(name));
    if (licence === undefined) {
      throw new Error(`${about.name} has no licence text`);
    }
    const text = await readFile(path.join(at, licence), "utf8");
    return `${about.name} ${about.version} (${about.license})\n\n${text.trim()}`;
  });
  return (await Promise.all(texts)).join("\n\n\n");
}
