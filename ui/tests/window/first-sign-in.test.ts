import { screen, waitFor } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import type { ServerView } from "../../src/backend/bindings";
import { FakeBackend } from "../support/fake-backend";
import { connected, needsSignIn, server, signedOut, signingIn, snapshot } from "../support/views";
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

describe("the sign-in of a service that was there before", () => {
  it("is cancelled by Escape, and the service stays", async () => {
    const backend = new FakeBackend({ servers: [example({ status: signingIn() })] });
    const { user } = await open(backend);
    await user.keyboard("{Escape}");
    await waitFor(() => expect(backend.callsOf("serverCancelSignIn")).toEqual([[ID]]));
    expect(backend.callsOf("serverRemove")).toEqual([]);
  });
});
