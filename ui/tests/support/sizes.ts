import { vi } from "vitest";

/** Reports rows of 80 pixels, and everything else of 600 pixels. */
class Sizes {
  constructor(private readonly report: ResizeObserverCallback) {}

  observe(target: Element): void {
    const height = target.localName === "li" ? 80 : 600;
    const entry = { target, contentRect: { width: 800, height } } as unknown as ResizeObserverEntry;
    queueMicrotask(() => this.report([entry], this));
  }

  unobserve(): void {}
  disconnect(): void {}
}

/** Gives the elements of windowed lists sizes, which jsdom does not have. The returned function takes them away. */
export function provideSizes(): () => void {
  const page = document.defaultView as Window & typeof globalThis;
  const before = page.ResizeObserver;
  page.ResizeObserver = Sizes;
  vi.spyOn(HTMLElement.prototype, "offsetParent", "get").mockReturnValue(document.body);
  return () => (page.ResizeObserver = before);
}
