import type { Usher } from "../../state/usher.svelte";

/**
 * Reports to the shell when the first screen is in the document, and when the first usable one was painted. The first
 * frame is the most expensive one, so no opening screen is drawn unless the start is slow.
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
