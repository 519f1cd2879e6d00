import { screen, waitFor } from "@testing-library/svelte";
import { beforeEach, expect, it } from "vitest";

import { FakeBackend } from "../support/fake-backend";
import { provideSizes } from "../support/sizes";
import { server, tool } from "../support/views";
import { open } from "../support/window";

beforeEach(provideSizes);

it("a long list has only some of its rows in the document, with their positions", async () => {
  const backend = new FakeBackend();
  backend.tools = Array.from({ length: 60_000 }, (_, index) => tool({ name: `tool_${index}`, title: null }));
  const { user } = await open(backend);
  await screen.findByTestId("tool-tool_0");
  const rows = screen.getAllByTestId("tool");
  expect(rows.length).toBeLessThan(100);
  const row = rows[0]?.closest("li");
  expect([row?.getAttribute("aria-posinset"), row?.getAttribute("aria-setsize")]).toEqual(["1", "60000"]);
  await user.type(screen.getByTestId("tool-search"), "tool_59999");
  await waitFor(() => expect(screen.getByTestId("tool-count")).toHaveTextContent("1 of 60000"));
  expect(screen.getAllByTestId("tool")).toHaveLength(1);
  expect(screen.getByTestId("tool-tool_59999")).toBeInTheDocument();
});

it("a very long name is cut in its row and its dialog", async () => {
  const backend = new FakeBackend();
  backend.tools = [tool({ name: "n".repeat(1_000_000), title: null, description: "x".repeat(20_000) })];
  const { user } = await open(backend);
  const row = await screen.findByTestId("tool");
  expect(row.textContent?.length).toBeLessThan(1_000);
  await user.click(row.querySelector("button") as HTMLElement);
  expect((await screen.findByTestId("tool-dialog")).textContent?.length).toBeLessThan(22_000);
});

it("many services are one Tab stop in a windowed list", async () => {
  const servers = Array.from({ length: 3_000 }, (_, index) =>
    server({ id: `s${index}`, name: `Service ${index}` }),
  );
  const { user } = await open(new FakeBackend({ servers }));
  (await screen.findByTestId("server-s0")).focus();
  expect(screen.getByTestId("sidebar").querySelectorAll("li").length).toBeLessThan(100);
  await user.keyboard("{End}");
  await waitFor(() => expect(screen.getByTestId("server-s2999")).toHaveFocus());
  expect(screen.getByTestId("sidebar").querySelectorAll("[tabindex='0']")).toHaveLength(1);
  await user.keyboard("{ArrowUp}");
  await waitFor(() => expect(screen.getByTestId("server-s2998")).toHaveFocus());
});
