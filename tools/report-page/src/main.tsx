// Reads the snapshot out of the page, then draws it.

import { render } from "preact";

import { App } from "./app";
import { Printed } from "./printed";
import { embedded } from "./report";
import { Library } from "./rows";
import { shown } from "./shown";

const page = element("page");

try {
  const library = new Library(await embedded());
  document.title = `${shown(library.report.file)} – bootshot report`;
  page.replaceChildren();
  render(<App library={library} />, page);
  printFrom(library);
  // The first frame with the page in it.
  requestAnimationFrame(() => performance.mark("bootshot-ready"));
} catch (error) {
  const sorry = document.createElement("p");
  sorry.className = "alone";
  sorry.setAttribute("role", "alert");
  sorry.textContent = `This report cannot be shown: the file is damaged, or the browser is from before 2024 (${String(error)}).`;
  page.replaceChildren(sorry);
}

/** Draws what is printed only while it is. */
function printFrom(library: Library): void {
  const paper = element("print");
  const draw = () => render(<Printed library={library} />, paper);
  const clear = () => render(null, paper);
  addEventListener("beforeprint", draw);
  addEventListener("afterprint", clear);
  matchMedia("print").addEventListener("change", (print) => (print.matches ? draw() : clear()));
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`the page has no #${id}`);
  }
  return found;
}
