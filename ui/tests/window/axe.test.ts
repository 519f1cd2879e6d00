import { render, screen } from "@testing-library/svelte";
import axe from "axe-core";
import { beforeEach, describe, expect, it } from "vitest";

import App from "../../src/App.svelte";
import { scenes } from "../screens/scenes";
import { play } from "../screens/scenes/scene";
import { provideSizes } from "../support/sizes";

describe("axe", () => {
  beforeEach(provideSizes);

  // Contrast needs a real browser: `npm run screens` checks it, light and dark.
  it.each(Object.keys(scenes))("finds no violation on “%s”", async (name) => {
    const scene = scenes[name];
    if (!scene) throw new Error(name);
    document.documentElement.lang = "en";
    document.title = "Usher";
    await play(scene, (backend) => render(App, { props: { backend } }));
    await screen.findAllByRole("heading");
    const { violations } = await axe.run(document, { rules: { "color-contrast": { enabled: false } } });
    expect(violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`))).toEqual([]);
  });
});
