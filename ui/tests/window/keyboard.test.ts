import { screen } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { FakeBackend } from "../support/fake-backend";
import { server } from "../support/views";
import { open } from "../support/window";

const three = ["notion", "linear", "sentry"].map((id) => server({ id, name: id, catalogue: id }));

/** The test id or text of the focused element. */
function focused(): string {
  const element = document.activeElement as HTMLElement;
  return element.dataset.testid ?? element.textContent?.trim() ?? element.localName;
}

describe("the keyboard", () => {
  it("moves through the services with the arrow keys, as one Tab stop", async () => {
    const { user } = await open(new FakeBackend({ servers: three }));
    await user.tab();
    expect(focused()).toBe("server-notion");
    await user.keyboard("{ArrowDown}");
    expect(focused()).toBe("server-linear");
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("linear");
    await user.keyboard("{End}");
    expect(focused()).toBe("server-sentry");
    await user.keyboard("{ArrowDown}");
    expect(focused()).toBe("server-sentry");
    await user.keyboard("{Home}{ArrowUp}");
    expect(focused()).toBe("server-notion");
    await user.tab();
    expect(focused()).toBe("add-service");
  });

  it("reaches every control of a connected service in order", async () => {
    const { user } = await open();
    const stops: string[] = [];
    for (let turn = 0; turn < 8; turn += 1) {
      await user.tab();
      stops.push(focused());
    }
    expect(stops).toEqual([
      "server-notion",
      "add-service",
      "settings",
      "sign-out",
      "tab-tools",
      "tool-search",
      "tool-search_pages",
      "tool-read_page",
    ]);
  });

  it("moves through the tabs with the arrow keys, Home and End", async () => {
    const { user } = await open();
    (await screen.findByTestId("tab-tools")).focus();
    const steps = ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "Home", "End"];
    const seen: string[] = [];
    for (const key of steps) {
      await user.keyboard(`{${key}}`);
      seen.push(focused());
      expect(document.activeElement).toHaveAttribute("aria-selected", "true");
      expect(screen.getByRole("tabpanel")).toHaveAccessibleName(document.activeElement?.textContent?.trim());
    }
    expect(seen).toEqual([
      "tab-resources",
      "tab-prompts",
      "tab-details",
      "tab-tools",
      "tab-details",
      "tab-tools",
      "tab-details",
    ]);
    expect(screen.getByTestId("scopes")).toBeVisible();
    expect(screen.getAllByRole("tab").map((tab) => tab.tabIndex)).toEqual([-1, -1, -1, 0]);
  });

  it.each(["{Control>}f{/Control}", "{Meta>}f{/Meta}"])(
    "%s focuses the search of the tools",
    async (keys) => {
      const { user } = await open();
      await screen.findByTestId("tool-search");
      await user.keyboard(keys);
      expect(focused()).toBe("tool-search");
    },
  );

  it("focuses the gallery's search in the gallery", async () => {
    const { user } = await open(new FakeBackend({ servers: [] }));
    await user.keyboard("{Control>}f{/Control}");
    expect(focused()).toBe("gallery-search");
  });

  it("opens a tool with Enter, keeps the focus inside, and returns it with Esc", async () => {
    const { user } = await open();
    const row = await screen.findByTestId("tool-search_pages");
    row.focus();
    await user.keyboard("{Enter}");
    const dialog = await screen.findByTestId("tool-dialog");
    await expect.poll(() => dialog.contains(document.activeElement)).toBe(true);
    await screen.findByTestId("tool-run");
    for (let turn = 0; turn < 5; turn += 1) {
      await user.tab();
      expect(dialog.contains(document.activeElement)).toBe(true);
    }
    await user.keyboard("{Escape}");
    await expect.poll(() => screen.queryByTestId("tool-dialog")).toBeNull();
    await expect.poll(focused).toBe("tool-search_pages");
  });

  it("signs in with Enter", async () => {
    const { backend, user } = await open(
      new FakeBackend({ servers: [server({ status: { state: "needs_sign_in", reason: "expired" } })] }),
    );
    screen.getByTestId("sign-in").focus();
    await user.keyboard("{Enter}");
    expect(backend.callsOf("serverSignIn")).toEqual([["notion"]]);
  });
});
