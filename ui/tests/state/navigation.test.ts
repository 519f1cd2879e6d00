import { describe, expect, it } from "vitest";

import { EngineState } from "../../src/state/engine.svelte";
import { Navigation } from "../../src/state/navigation.svelte";
import { FakeBackend } from "../support/fake-backend";
import { started as start } from "../support/usher";
import { catalogue, error, server, tool } from "../support/views";

const servers = [server(), server({ id: "linear", name: "Linear" })];

function started(backend = new FakeBackend({ servers })) {
  return start(backend);
}

describe("the screen", () => {
  it("is blank until the start is slow", () => {
    const navigation = new Navigation(new EngineState(new FakeBackend()));
    expect(navigation.screen).toBe("blank");
    navigation.isSlowStart = true;
    expect(navigation.screen).toBe("opening");
  });

  it.each([
    ["engine_busy", "command_running"],
    ["internal", "start_failed"],
  ] as const)("of a start that ends with %s is %s", async (code, screen) => {
    const backend = new FakeBackend().fail("snapshot", error(code, "It failed."));
    expect((await started(backend)).navigation.screen).toBe(screen);
  });

  it("is the main one unless the secret store cannot be used", async () => {
    const { navigation, backend } = await started();
    expect(navigation.screen).toBe("main");
    const locked = error("keychain_locked", "The keychain is locked.");
    const secret_store = { kind: "keychain", error: locked } as const;
    backend.emit({ event: "secret_store_changed", revision: 11, secret_store });
    expect(navigation.screen).toBe("secret_store_error");
  });
});

describe("the page", () => {
  it("is the first service until another page is requested", async () => {
    const { navigation } = await started();
    expect(navigation.page).toEqual({ kind: "service", id: "notion" });
    navigation.go({ kind: "settings" });
    expect(navigation.page).toEqual({ kind: "settings" });
  });

  it("is the first service when its service is removed, and the gallery after the last one", async () => {
    const { navigation, backend } = await started();
    navigation.go({ kind: "service", id: "linear" });
    backend.emit({ event: "server_removed", revision: 11, id: "linear" });
    expect(navigation.page).toEqual({ kind: "service", id: "notion" });
    backend.emit({ event: "server_removed", revision: 12, id: "notion" });
    expect(navigation.page).toEqual({ kind: "gallery" });
  });

  it("has its own key for each service and each setup", async () => {
    const { navigation } = await started();
    const keys = [navigation.pageKey];
    const [first, second] = catalogue;
    if (!first || !second) throw new Error("the catalogue is empty");
    for (const page of [
      { kind: "service", id: "linear" },
      { kind: "set_up", entry: first },
      { kind: "set_up", entry: second },
      { kind: "gallery" },
      { kind: "settings" },
    ] as const) {
      navigation.go(page);
      keys.push(navigation.pageKey);
    }
    expect(new Set(keys).size).toBe(6);
  });
});

describe("the tab, the dialog and the form of a page", () => {
  it("stay while the page stays", async () => {
    const { navigation } = await started();
    navigation.tab = "details";
    navigation.openDialog({ kind: "remove" });
    navigation.clientForm = true;
    navigation.go({ kind: "service", id: "notion" });
    expect([navigation.tab, navigation.dialog, navigation.clientForm]).toEqual([
      "details",
      { kind: "remove" },
      true,
    ]);
    navigation.closeDialog();
    expect([navigation.tab, navigation.dialog]).toEqual(["details", null]);
  });

  it("are reset by another page, and stay reset on return", async () => {
    const { navigation } = await started();
    navigation.tab = "prompts";
    navigation.openDialog({ kind: "tool", item: tool() });
    for (const id of ["linear", "notion"]) {
      navigation.go({ kind: "service", id });
      expect([navigation.tab, navigation.dialog]).toEqual(["tools", null]);
    }
  });

  it("are reset when another service replaces a removed one", async () => {
    const { navigation, backend } = await started();
    navigation.tab = "details";
    navigation.openDialog({ kind: "remove" });
    backend.emit({ event: "server_removed", revision: 11, id: "notion" });
    expect([navigation.pageKey, navigation.tab, navigation.dialog]).toEqual([
      "service linear",
      "tools",
      null,
    ]);
  });
});
