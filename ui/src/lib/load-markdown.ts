type Renderer = typeof import("./markdown");

let renderer: Promise<Renderer> | undefined;

/** Returns the markdown renderer, which is loaded on first use. */
export function loadRenderer(): Promise<Renderer> {
  return (renderer ??= import("./markdown"));
}
