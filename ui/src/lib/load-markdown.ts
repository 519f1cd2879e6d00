type Renderer = typeof import("./markdown");

let renderer: Promise<Renderer> | undefined;

/** The markdown renderer, loaded on first use. */
export function loadRenderer(): Promise<Renderer> {
  return (renderer ??= import("./markdown"));
}
