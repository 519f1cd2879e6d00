import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import type { ServerView } from "../../src/backend/bindings";
import { FakeBackend } from "../support/fake-backend";
import { connected, error, needsSignIn, server, signedOut, signingIn, snapshot } from "../support/views";
import { open } from "../support/window";

const ID = "example";

function example(overrides: Partial<ServerView>): ServerView {
  return server({ id: ID, name: "Example", catalogue: null, auth: signedOut, ...overrides });
}

/** Adds a service by its address, up to its first sign-in. */
async function openFirstSignIn() {
  const backend = new FakeBackend({ servers: [] });
  const opened = await open(backend);
  await opened.user.click(screen.getByTestId("add-server"));
  await opened.user.type(await screen.findByTestId("add-url"), "mcp.example.com/mcp");
  await screen.findByTestId("entry-preview");
  backend.current = snapshot({ revision: 11, servers: [example({ status: signingIn() })] });
  await opened.user.click(screen.getByTestId("add-submit"));
  await screen.findByTestId("waiting");
  return opened;
}

describe("the first sign-in of a new service", () => {
  it("removes the service when it is cancelled, and adds it again after Undo", async () => {
    const { backend, user } = await openFirstSignIn();
    expect(screen.getByText("If you cancel, Example is not added.")).toBeVisible();
    await user.click(screen.getByTestId("waiting-cancel"));
    await waitFor(() => expect(backend.callsOf("serverRemove")).toEqual([[ID]]));
    expect(backend.callsOf("serverCancelSignIn")).toEqual([[ID]]);
    backend.emit({ event: "server_removed", revision: 12, id: ID });
    expect(await screen.findByTestId("not-added")).toHaveTextContent("Example was not added.");
    expect(screen.getByTestId("gallery")).toBeVisible();

    backend.current = snapshot({ revision: 13, servers: [example({ status: signingIn() })] });
    await user.click(screen.getByTestId("not-added-show"));
    await waitFor(() => expect(backend.callsOf("entryAdd")).toHaveLength(2));
    const [first, second] = backend.callsOf("entryAdd");
    expect(second).toEqual(first);
    expect(await screen.findByTestId("waiting")).toBeVisible();
    expect(screen.queryByTestId("not-added")).toBeNull();
  });

  it("is cancelled by Escape", async () => {
    const { backend, user } = await openFirstSignIn();
    await user.keyboard("{Escape}");
    await waitFor(() => expect(backend.callsOf("serverRemove")).toEqual([[ID]]));
  });

  it("is over once the service was connected, so a later cancel removes nothing", async () => {
    const { backend, user } = await openFirstSignIn();
    const emit = (revision: number, view: Partial<ServerView>): void =>
      backend.emit({ event: "server_changed", revision, view: example(view) });
    emit(12, { status: connected });
    await waitFor(() => expect(screen.queryByTestId("waiting")).toBeNull());
    emit(13, needsSignIn("expired"));
    emit(14, { status: signingIn() });
    await user.click(await screen.findByTestId("waiting-cancel"));
    expect(backend.callsOf("serverCancelSignIn")).toEqual([[ID]]);
    expect(backend.callsOf("serverRemove")).toEqual([]);
  });
});

describe("a first sign-in that ends in another way", () => {
  it("keeps a service whose entry the person has edited since", async () => {
    const { backend, user } = await openFirstSignIn();
    const emit = (revision: number, view: Partial<ServerView>): void =>
      backend.emit({ event: "server_changed", revision, view: example(view) });
    emit(12, needsSignIn("never_signed_in"));
    await user.click(await screen.findByTestId("edit"));
    const stored = within(await screen.findByTestId("stored-headers.X-Api-Key"));
    await user.click(stored.getByRole("button", { name: "Remove" }));
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(backend.callsOf("entryReplace")).toHaveLength(1));
    emit(13, { status: signingIn() });
    await user.click(await screen.findByTestId("waiting-cancel"));
    await waitFor(() => expect(backend.callsOf("serverCancelSignIn")).toEqual([[ID]]));
    expect(backend.callsOf("serverRemove")).toEqual([]);
  });

  it("keeps a service whose sign-in was completed when the person cancelled it", async () => {
    const { backend, user } = await openFirstSignIn();
    backend.current = snapshot({ revision: 12, servers: [example({ status: connected })] });
    await user.click(screen.getByTestId("waiting-cancel"));
    await waitFor(() => expect(screen.queryByTestId("waiting")).toBeNull());
    expect(backend.callsOf("serverRemove")).toEqual([]);
  });

  it("can be undone again after adding has failed", async () => {
    const { backend, user } = await openFirstSignIn();
    await user.click(screen.getByTestId("waiting-cancel"));
    await waitFor(() => expect(backend.callsOf("serverRemove")).toEqual([[ID]]));
    backend.emit({ event: "server_removed", revision: 12, id: ID });
    backend.fail("entryAdd", error("config_invalid", "mcp.json has an error on line 3."));
    await user.click(await screen.findByTestId("not-added-show"));
    expect(await screen.findByText("mcp.json has an error on line 3.")).toBeVisible();
    expect(screen.getByTestId("not-added")).toBeVisible();
  });
});

describe("the sign-in of a service that was there before", () => {
  it("is cancelled by Escape, and the service stays", async () => {
    const backend = new FakeBackend({ servers: [example({ status: signingIn() })] });
    const { user } = await open(backend);
    await user.keyboard("{Escape}");
    await waitFor(() => expect(backend.callsOf("serverCancelSignIn")).toEqual([[ID]]));
    expect(backend.callsOf("serverRemove")).toEqual([]);
  });
});
