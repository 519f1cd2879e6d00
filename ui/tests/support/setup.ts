import "@testing-library/jest-dom/vitest";
import { configure } from "@testing-library/svelte";
import { afterAll } from "vitest";

import { toHtml, type Question } from "../../src/lib/markdown/parser";

configure({ testIdAttribute: "data-testid", asyncUtilTimeout: 45_000 });

// Missing in jsdom.
Element.prototype.scrollIntoView = () => undefined;
Element.prototype.scrollTo = () => undefined;
Range.prototype.getClientRects ??= () => [] as unknown as DOMRectList;
globalThis.ResizeObserver ??= class {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
};
// Parses in this thread. The window tests use the real worker.
globalThis.Worker ??= class extends EventTarget {
  onmessage: ((event: MessageEvent) => void) | null = null;
  postMessage(question: Question): void {
    queueMicrotask(() => this.onmessage?.(new MessageEvent("message", { data: toHtml(question) })));
  }
  terminate(): void {}
} as unknown as typeof Worker;

// The next file gets the same document.
afterAll(() => document.body.replaceChildren());
