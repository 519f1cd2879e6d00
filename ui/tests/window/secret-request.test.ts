import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { failed, server } from "../support/views";
import { openWith } from "../support/window";

const status = failed("secret_not_allowed", "mcp.json sends {{key}} to https://new.example:8443.");
const known = {
  secret: "{{key}}",
  origin: "https://new.example:8443",
  allowed_origins: ["https://old.example"],
};
const variable = { secret: "${TOKEN}", origin: "https://new.example:8443", allowed_origins: [] };
const elsewhere = { secret: "{{key}}", origin: "https://token.example", allowed_origins: [] };

describe("a secret that mcp.json sends to another origin", () => {
  it("is shown with the new origin and the known ones, and nothing is allowed without a click", async () => {
    const { backend, user } = await openWith({ status, secret_requests: [known, variable, elsewhere] });
    const card = screen.getByTestId("secret-request");
    expect(card).toHaveTextContent("Send the secret “key” to new.example:8443?");
    expect(card).toHaveTextContent("only https://old.example was allowed to get it");
    expect(card).toHaveTextContent("Send the environment variable “TOKEN” to new.example:8443?");
    expect(card).not.toHaveTextContent("token.example");
    expect(screen.queryByTestId("error")).toBeNull();
    expect(backend.callsOf("secretAllow")).toEqual([]);

    await user.click(within(card).getByRole("button", { name: "Allow for new.example:8443" }));
    await waitFor(() =>
      expect(backend.callsOf("secretAllow")).toEqual([
        ["{{key}}", "https://new.example:8443"],
        ["${TOKEN}", "https://new.example:8443"],
      ]),
    );
    backend.emit({ event: "server_changed", revision: 11, view: server() });
    await waitFor(() => expect(screen.queryByTestId("secret-request")).toBeNull());
  });

  it("can be refused by turning the service off", async () => {
    const { backend, user } = await openWith({ status, secret_requests: [known] });
    await user.click(screen.getByTestId("secret-turn-off"));
    expect(backend.callsOf("serverDisable")).toEqual([["notion"]]);
    expect(backend.callsOf("secretAllow")).toEqual([]);
  });

  it("is shown in the sidebar, too", async () => {
    await openWith({ status, secret_requests: [known] });
    expect(screen.getByTestId("server-notion")).toHaveTextContent("Permission needed");
  });
});
