import { mount } from "svelte";

import "../../src/app.css";
import App from "../../src/App.svelte";
import { scenes } from "./scenes";
import { play } from "./scenes/scene";

/** Shows a scene, and sets `data-scene` when its actions are done. */
async function show(name: string): Promise<void> {
  const scene = scenes[name];
  const target = document.getElementById("app");
  if (!scene || !target) throw new Error(`no scene “${name}”`);
  await play(scene, (backend) => mount(App, { target, props: { backend } }));
  document.documentElement.dataset.scene = name;
}

Object.assign(globalThis, { sceneNames: Object.keys(scenes) });
const name = decodeURIComponent(location.hash.slice(1));
if (name) void show(name);
