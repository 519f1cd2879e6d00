import { screen } from "@testing-library/svelte";
import { expect, it } from "vitest";

import { openWith } from "../support/window";

it("shows two lines of a long name, and the whole name as a tooltip", async () => {
  const name = "The Corporate Knowledge Base of the Research Department (staging)";
  await openWith({ name });
  const entry = screen.getByTestId("server-notion");
  expect(entry.querySelector(".line-clamp-2")).toHaveTextContent(name);
  expect(entry.querySelector(".truncate")).not.toHaveTextContent(name);
  expect(entry).toHaveAttribute("title", `${name} – Connected`);
});
