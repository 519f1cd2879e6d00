import { render, screen, waitFor } from "@testing-library/svelte";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import { expect } from "vitest";

import App from "../../src/App.svelte";
import type { ServerView, Snapshot } from "../../src/backend/bindings";
import { FakeBackend } from "./fake-backend";
import { server } from "./views";

export type Opened = { backend: FakeBackend; user: UserEvent };

/** Opens the whole window with a scripted backend, and waits for its first screen. */
export async function open(backend: FakeBackend = new FakeBackend()): Promise<Opened> {
  delete document.documentElement.dataset.ready;
  const user = userEvent.setup();
  render(App, { props: { backend } });
  await waitFor(() => {
    const isReady = document.documentElement.dataset.ready === "true";
    expect(isReady || screen.queryByTestId("start-error") !== null).toBe(true);
  });
  return { backend, user };
}

/** Opens the window with one service. */
export function openWith(view: Partial<ServerView>, overrides: Partial<Snapshot> = {}): Promise<Opened> {
  return open(new FakeBackend({ servers: [server(view)], ...overrides }));
}
