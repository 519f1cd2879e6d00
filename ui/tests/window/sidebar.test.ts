import { screen } from "@testing-library/svelte";
import { expect, it } from "vitest";

import { FakeBackend } from "../support/fake-backend";
import { needsSignIn, oauth, server } from "../support/views";
import { open, openWith } from "../support/window";

it("shows two lines of a long name, and the whole name as a tooltip", async () => {
  const name = "The Corporate Knowledge Base of the Research Department (staging)";
  await openWith({ name });
  const entry = screen.getByTestId("server-notion");
  expect(entry.querySelector(".line-clamp-2")).toHaveTextContent(name);
  expect(entry.querySelector(".truncate")).not.toHaveTextContent(name);
  expect(entry).toHaveAttribute("title", `${name} – Connected`);
});

it("shows the account or host in the second line, after the state if something is wrong", async () => {
  const servers = [
    server({ id: "work", name: "Notion (work)", auth: oauth({ account: "ada@work.example" }) }),
    server({ id: "home", name: "Notion (home)", auth: oauth({ account: null }) }),
    server({ id: "old", name: "Notion (old)", ...needsSignIn("expired") }),
  ];
  await open(new FakeBackend({ servers }));
  const lines = servers.map(({ id }) =>
    screen.getByTestId(`server-${id}`).querySelector(".word")?.textContent.trim(),
  );
  expect(lines).toEqual(["ada@work.example", "mcp.notion.com", "Sign-in needed · mcp.notion.com"]);
});

it("keeps the colour of a service whose name changes", async () => {
  const { backend } = await openWith({ id: "notes", name: "notes", catalogue: null });
  const colour = () =>
    screen.getByTestId("server-notes").querySelector<HTMLElement>(".initial")?.style.cssText;
  const before = colour();
  backend.emit({
    event: "server_changed",
    revision: 11,
    view: server({ id: "notes", name: "notes (2)", catalogue: null }),
  });
  await screen.findByRole("heading", { level: 1, name: "notes (2)" });
  expect(colour()).toBe(before);
  expect(before).toMatch(/--hue: \d+/);
});
