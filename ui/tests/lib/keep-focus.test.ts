import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { keepFocus } from "../../src/lib/keep-focus";

let stop: (() => void) | void;

beforeEach(() => {
  document.body.innerHTML = `<button id="before"></button><main tabindex="-1"><button id="inside"></button></main>`;
  stop = keepFocus(document.querySelector("main") as HTMLElement);
});

afterEach(() => stop?.());

function button(id: string): HTMLButtonElement {
  return document.getElementById(id) as HTMLButtonElement;
}

/** Waits for the observer and the microtask after it. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** Disables an element. Browsers blur a disabled element, but jsdom does so only if the element is moved. */
async function disable(element: HTMLButtonElement): Promise<void> {
  element.disabled = true;
  element.parentElement?.append(element);
  await turn();
}

describe("the focus", () => {
  it.each(["inside", "before"])("returns to %s, which was disabled during its command", async (id) => {
    button(id).focus();
    await disable(button(id));
    expect(document.body).toHaveFocus();
    button(id).disabled = false;
    await turn();
    expect(button(id)).toHaveFocus();
  });

  it("does not return after the person moved it away", async () => {
    button("inside").focus();
    button("inside").blur();
    await turn();
    button("before").disabled = true;
    await turn();
    expect(document.body).toHaveFocus();
  });

  it("stays on another element that got it", async () => {
    button("inside").focus();
    await disable(button("inside"));
    button("before").focus();
    button("inside").disabled = false;
    await turn();
    expect(button("before")).toHaveFocus();
  });

  it("moves to the pane if its element is removed", async () => {
    button("inside").focus();
    button("inside").remove();
    await turn();
    expect(document.querySelector("main")).toHaveFocus();
  });
});
