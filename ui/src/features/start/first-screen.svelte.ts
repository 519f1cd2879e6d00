import type { Usher } from "../../state/usher.svelte";

/**
 * Reports to the app's Rust side when the first screen is in the document, and when the first usable screen was
 * painted. The first frame is the most expensive one, so the opening screen is shown only if the start is slow.
 */
export function reportFirstScreen({ backend, engine, navigation }: Usher): void {
  const isBlank = $derived(navigation.screen === "blank");

  $effect(() => {
    if (!isBlank) void backend.appReady().catch(() => undefined);
  });

  $effect(() => {
    if (engine.phase !== "ready") return;
    document.documentElement.dataset.ready = "true";
    requestAnimationFrame(() =>
      requestAnimationFrame(() => void backend.appPainted().catch(() => undefined)),
    );
  });
}
