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

/** Past the observer and the microtask after it. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** A browser takes the focus from what is disabled. jsdom does so only from what leaves its place. */
async function disable(element: HTMLButtonElement): Promise<void> {
  element.disabled = true;
  element.parentElement?.append(element);
  await turn();
}

describe("the focus", () => {
  it.each(["inside", "before"])("comes back to %s, which was disabled while its work took", async (id) => {
    button(id).focus();
    await disable(button(id));
    expect(document.body).toHaveFocus();
    button(id).disabled = false;
    await turn();
    expect(button(id)).toHaveFocus();
  });

  it("does not come back to where a person left", async () => {
    button("inside").focus();
    button("inside").blur();
    await turn();
    button("before").disabled = true;
    await turn();
    expect(document.body).toHaveFocus();
  });

  it("is not taken from who got it meanwhile", async () => {
    button("inside").focus();
    await disable(button("inside"));
    button("before").focus();
    button("inside").disabled = false;
    await turn();
    expect(button("before")).toHaveFocus();
  });

  it("goes to the pane where what had it is gone", async () => {
    button("inside").focus();
    button("inside").remove();
    await turn();
    expect(document.querySelector("main")).toHaveFocus();
  });
});
