import "@testing-library/jest-dom/vitest";
import { configure } from "@testing-library/svelte";
import { afterAll } from "vitest";

configure({ testIdAttribute: "data-testid", asyncUtilTimeout: 45_000 });

// Missing in jsdom.
Element.prototype.scrollIntoView = () => undefined;
globalThis.ResizeObserver ??= class {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
};

// The next file gets the same document.
afterAll(() => document.body.replaceChildren());
