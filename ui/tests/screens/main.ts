import { mount } from "svelte";

import "../../src/app.css";
import App from "../../src/App.svelte";
import { scenes, type Hands } from "./scenes";

/** Shows the scene that the address names, and says so when it stands. */
async function show(name: string): Promise<void> {
  const scene = scenes[name];
  const target = document.getElementById("app");
  if (!scene || !target) throw new Error(`no scene “${name}”`);
  const backend = scene.backend();
  mount(App, { target, props: { backend } });
  await scene.act?.(hands, backend);
  document.documentElement.dataset.scene = name;
}

const hands: Hands = {
  async find(testid) {
    for (let turn = 0; turn < 300; turn += 1) {
      const element = document.querySelector<HTMLElement>(`[data-testid="${testid}"]`);
      if (element) return element;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`nothing is called “${testid}”`);
  },
  async press(testid) {
    const element = await hands.find(testid);
    element.focus();
    element.click();
  },
  async type(testid, text) {
    const field = (await hands.find(testid)) as HTMLInputElement;
    field.focus();
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((resolve) => setTimeout(resolve, 20));
  },
};

Object.assign(globalThis, { sceneNames: Object.keys(scenes) });
const wanted = decodeURIComponent(location.hash.slice(1));
if (wanted) void show(wanted);
