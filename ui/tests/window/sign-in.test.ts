import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { Refusal } from "../../src/backend/backend";
import { error, server, signedOut, signingIn } from "../support/views";
import { openWith } from "../support/window";

function waiting(more: Parameters<typeof signingIn>[0] = {}) {
  return openWith({ status: signingIn(more), auth: signedOut });
}

describe("the waiting screen", () => {
  it("says which step is under way, which are done, and on whose page to say yes", async () => {
    await waiting();
    const steps = within(screen.getByTestId("waiting")).getAllByRole("listitem");
    expect(steps.map((step) => step.getAttribute("aria-current"))).toEqual([null, null, "step", null, null]);
    expect(steps[0]).toHaveTextContent("Finding out how Notion signs people in, done");
    expect(steps[2]).toHaveTextContent("Waiting for your browser");
    expect(steps[2]).toHaveTextContent("Say yes on the page of mcp.notion.com.");
    expect(screen.getByTestId("waiting-left")).toHaveTextContent(/^4:3\d left$/);
    expect(screen.getByTestId("status")).toHaveTextContent("Signing in");
  });

  it("offers the browser only while it is waited for", async () => {
    await waiting({ step: "exchanging" });
    expect(screen.queryByTestId("waiting-open-again")).toBeNull();
    expect(screen.getByTestId("waiting-cancel")).toBeEnabled();
  });

  it("opens the browser again, copies the address, cancels", async () => {
    const { backend, user } = await waiting();
    await user.click(screen.getByTestId("waiting-open-again"));
    await user.click(screen.getByTestId("waiting-copy"));
    expect(await navigator.clipboard.readText()).toBe("https://mcp.notion.com/authorize?state=1");
    await user.click(screen.getByTestId("waiting-cancel"));
    expect(backend.asked("serverSignInAgain")).toEqual([["notion"]]);
    expect(backend.asked("serverCancelSignIn")).toEqual([["notion"]]);
  });

  it("can be cancelled while another command hangs", async () => {
    const { backend, user } = await waiting();
    backend.answer("serverSignInAgain", "never");
    await user.click(screen.getByTestId("waiting-open-again"));
    await user.click(screen.getByTestId("waiting-cancel"));
    expect(backend.asked("serverCancelSignIn")).toEqual([["notion"]]);
  });

  it("tries the next way back, and says which it is", async () => {
    const { backend, user } = await waiting({ next_redirect: "loopback" });
    await user.click(screen.getByText("Something not working?"));
    expect(screen.getByTestId("waiting-trouble")).toHaveTextContent("an address on this computer");
    await user.click(screen.getByTestId("waiting-next-redirect"));
    expect(backend.asked("serverNextRedirect")).toEqual([["notion"]]);
  });

  it("has no next way back after the last", async () => {
    await waiting({ next_redirect: null });
    expect(screen.queryByTestId("waiting-next-redirect")).toBeNull();
    expect(screen.getByTestId("waiting-trouble")).toHaveTextContent("All other ways back were tried");
  });

  it("takes a pasted address, with the spaces that come along", async () => {
    const { backend, user } = await waiting();
    const field = screen.getByTestId("waiting-paste");
    await user.type(field, "  dev.usher.desktop:/oauth/callback?code=1&state=2 ");
    await user.click(screen.getByTestId("waiting-paste-submit"));
    expect(backend.asked("signInComplete")).toEqual([["dev.usher.desktop:/oauth/callback?code=1&state=2"]]);
    await waitFor(() => expect(field).toHaveValue(""));
  });

  it("keeps a refused address, and says why", async () => {
    const { backend, user } = await waiting({ redirect: "paste" });
    backend.answer("signInComplete", new Refusal(error("authorization_denied", "It belongs to no sign-in.")));
    await user.type(screen.getByTestId("waiting-paste"), "https://example.com/{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent("It belongs to no sign-in.");
    expect(screen.getByTestId("waiting-paste")).toHaveValue("https://example.com/");
  });

  it("announces each step's state without the ticking clock", async () => {
    await waiting();
    expect(screen.getByTestId("waiting-left").closest("[aria-live], [role=status]")).toBeNull();
    expect(screen.getAllByRole("status")[0]).toHaveTextContent("Notion: Signing in");
  });

  it("gives way to the tools once connected", async () => {
    const { backend } = await waiting();
    backend.tell({ event: "server_changed", revision: 11, view: server() });
    expect(await screen.findByTestId("tool-search_pages")).toHaveTextContent("Search pages");
    expect(screen.queryByTestId("waiting")).toBeNull();
  });
});
