import { mount } from "svelte";

import "../../src/app.css";
import App from "../../src/App.svelte";
import { handsOf } from "./hands";
import { scenes } from "./scenes";

/** Shows the scene in the address, and sets `data-scene` when it is complete. */
async function show(name: string): Promise<void> {
  const scene = scenes[name];
  const target = document.getElementById("app");
  if (!scene || !target) throw new Error(`no scene “${name}”`);
  const backend = scene.backend();
  mount(App, { target, props: { backend } });
  await scene.act?.(handsOf(document), backend);
  document.documentElement.dataset.scene = name;
}

Object.assign(globalThis, { sceneNames: Object.keys(scenes) });
const wanted = decodeURIComponent(location.hash.slice(1));
if (wanted) void show(wanted);
