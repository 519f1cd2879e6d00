import { Usher } from "../../src/state/usher.svelte";
import { FakeBackend } from "./fake-backend";

/** Starts the window's state, without a window. */
export async function started(backend = new FakeBackend()) {
  const usher = new Usher(backend);
  await usher.start();
  return { usher, ...usher, backend };
}
