// TanStack's virtualizer for Preact: of many rows only those in sight are in the document.

import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualizerOptions,
} from "@tanstack/virtual-core";
import { useLayoutEffect, useReducer, useState } from "preact/hooks";

type Options = VirtualizerOptions<HTMLElement, HTMLElement>;
type Given = Pick<Options, "count" | "getScrollElement" | "estimateSize" | "scrollPaddingStart" | "overscan">;

export function useVirtualizer(given: Given): Virtualizer<HTMLElement, HTMLElement> {
  const [, redraw] = useReducer((drawings: number) => drawings + 1, 0);
  const options: Options = {
    ...given,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => redraw(undefined),
  };
  const [virtualizer] = useState(() => new Virtualizer(options));
  virtualizer.setOptions(options);
  useLayoutEffect(() => virtualizer._didMount(), []);
  useLayoutEffect(() => virtualizer._willUpdate());
  return virtualizer;
}
