import "@testing-library/jest-dom/vitest";
import { configure } from "@testing-library/svelte";

configure({ testIdAttribute: "data-testid", asyncUtilTimeout: 45_000 });

// Missing in jsdom.
Element.prototype.scrollIntoView = () => undefined;
globalThis.ResizeObserver ??= class {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
};
