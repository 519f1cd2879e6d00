import { screen, waitFor } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import type { DesktopView } from "../../src/backend/bindings";
import { FakeBackend } from "../support/fake-backend";
import { config, error, server } from "../support/views";
import { open, type Opened } from "../support/window";

async function openSettings(
  desktop: Partial<DesktopView> = {},
  backend = new FakeBackend(),
): Promise<Opened> {
  backend.changeDesktop(desktop);
  const opened = await open(backend);
  await opened.user.click(screen.getByTestId("settings"));
  await screen.findByTestId("desktop-parts");
  return opened;
}

describe("what Usher does in the background", () => {
  it.each([
    ["shown", "stays in the tray"],
    ["no_library", "install libayatana-appindicator3"],
    ["no_host", "this desktop has no tray"],
    ["unavailable", "no tray is available"],
    ["checking", "Checking"],
  ] as const)("tray %s: %s", async (tray, words) => {
    await openSettings({ tray });
    expect(screen.getByTestId("tray")).toHaveTextContent(words);
  });

  it.each([
    [
      { notifications: "with_actions", tray: "shown" },
      "Click the notification to open the sign-in page in your browser.",
    ],
    [{ notifications: "with_actions", tray: "no_host" }, "While Usher is open, it notifies you"],
    [{ notifications: "plain", tray: "shown" }, "Sign in from the tray or this window"],
    [{ notifications: "plain", tray: "no_host" }, "Sign in from this window instead"],
    [{ notifications: "missing" }, "does not support notifications"],
    [{ notifications: "checking" }, "Checking"],
  ] as const)("%j: %s", async (desktop, words) => {
    await openSettings(desktop);
    expect(screen.getByTestId("notifications")).toHaveTextContent(words);
  });

  it("is updated while the settings are open", async () => {
    const { backend } = await openSettings({ tray: "checking" });
    backend.changeDesktop({ tray: "no_host" });
    await waitFor(() => expect(screen.getByTestId("tray")).toHaveTextContent("has no tray"));
  });

  it("is loaded again when the settings are opened", async () => {
    const { backend, user } = await openSettings({ tray: "checking" });
    await user.click(screen.getByTestId("server-notion"));
    backend.info = { ...backend.info, desktop: { ...backend.info.desktop, tray: "shown" } };
    await user.click(screen.getByTestId("settings"));
    await waitFor(() => expect(screen.getByTestId("tray")).toHaveTextContent("stays in the tray"));
  });
});

describe("the start at login", () => {
  it("shows the desktop's setting, not the click", async () => {
    const { backend, user } = await openSettings({ autostart: "off" });
    const box = screen.getByRole("checkbox", { name: /Start Usher when I log in/ });
    await user.click(box);
    expect(backend.callsOf("autostartSet")).toEqual([[true]]);
    expect(box).not.toBeChecked();
    backend.changeDesktop({ autostart: "on" });
    await waitFor(() => expect(box).toBeChecked());
    await user.click(box);
    expect(backend.callsOf("autostartSet")).toEqual([[true], [false]]);
  });

  it("stays off after an error, and shows the error", async () => {
    const backend = new FakeBackend();
    backend.fail("autostartSet", error("internal", "The folder cannot be written."));
    const { user } = await openSettings({}, backend);
    await user.click(screen.getByTestId("autostart"));
    expect(await screen.findByTestId("error")).toHaveTextContent("The folder cannot be written.");
    expect(screen.getByTestId("autostart")).not.toBeChecked();
  });

  it.each([
    [{ tray: "shown" }, "without a window"],
    [{ tray: "no_host" }, "with its window"],
    [{ autostart: "unavailable" }, "Usher cannot change this here"],
  ] as const)("%j: %s", async (desktop, words) => {
    await openSettings(desktop);
    expect(screen.getByTestId("autostart")).toHaveAccessibleDescription(expect.stringContaining(words));
  });
});

describe("reloading mcp.json", () => {
  it("reports that the file is valid only if it is", async () => {
    const { backend, user } = await openSettings();
    expect(screen.getByTestId("config-valid")).toBeEmptyDOMElement();
    await user.click(screen.getByTestId("config-check"));
    expect(backend.callsOf("configCheck")).toHaveLength(1);
    await waitFor(() => expect(screen.getByTestId("config-valid")).toHaveTextContent("mcp.json is valid."));
    backend.current.config = { ...config, error: error("config_invalid", "A brace is missing.") };
    await user.click(screen.getByTestId("config-check"));
    expect(screen.getByTestId("config-valid")).not.toHaveTextContent("mcp.json is valid.");
    backend.current.config = { ...config, entry_errors: ["line 4, column 5: this server has no `url`"] };
    await user.click(screen.getByTestId("config-check"));
    expect(screen.getByTestId("config-valid")).not.toHaveTextContent("mcp.json is valid.");
    backend.fail("configCheck", error("config_invalid", "A comma is missing."));
    await user.click(screen.getByTestId("config-check"));
    expect(await screen.findByTestId("error")).toHaveTextContent("A comma is missing.");
    expect(screen.getByTestId("config-valid")).not.toHaveTextContent("mcp.json is valid.");
  });
});

describe("the errors of single entries", () => {
  it("are listed with their lines", async () => {
    const entry_errors = ["line 4, column 5: this server has no `url`"];
    await openSettings({}, new FakeBackend({ config: { ...config, entry_errors } }));
    expect(screen.getByTestId("config-errors")).toHaveTextContent("line 4, column 5");
  });
});

describe("the pause", () => {
  it("starts in Settings, and can be ended in the sidebar", async () => {
    const { backend, user } = await openSettings();
    expect(screen.queryByTestId("paused-note")).toBeNull();
    await user.click(screen.getByTestId("pause-all"));
    expect(backend.callsOf("serversPause")).toHaveLength(1);
    backend.emit({ event: "paused_changed", revision: 11, paused: true });
    backend.emit({
      event: "server_changed",
      revision: 12,
      view: server({ status: { state: "paused" } }),
    });
    await waitFor(() => expect(screen.getByTestId("server-notion")).toHaveTextContent("Paused"));
    expect(screen.getByTestId("settings-resume")).toBeInTheDocument();
    await user.click(screen.getByTestId("resume-all"));
    expect(backend.callsOf("serversResume")).toHaveLength(1);
    backend.emit({ event: "paused_changed", revision: 13, paused: false });
    await waitFor(() => expect(screen.queryByTestId("paused-note")).toBeNull());
  });
});

describe("sign-ins without a service", () => {
  it("are listed, and removed one by one", async () => {
    const backend = new FakeBackend();
    backend.orphansLeft = [
      { server: "old", name: "old", host: "mcp.example.com" },
      { server: "older", name: "older", host: null },
    ];
    const { user } = await openSettings({}, backend);
    expect(await screen.findByTestId("orphans")).toHaveTextContent(/old – mcp.example.com.*older/s);
    backend.orphansLeft = backend.orphansLeft.slice(1);
    await user.click(screen.getByLabelText("Revoke and remove the sign-in to old"));
    expect(backend.callsOf("orphanRemove")).toEqual([["old"]]);
    await waitFor(() => expect(screen.getByTestId("orphans")).not.toHaveTextContent("mcp.example.com"));
  });

  it("are not mentioned if there are none", async () => {
    await openSettings();
    expect(screen.queryByTestId("orphans")).toBeNull();
  });
});
