import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { device, error, needsSignIn, onDevice, server, signedOut, signingIn } from "../support/views";
import { openWith } from "../support/window";

function openSignIn(overrides: Parameters<typeof signingIn>[0] = {}) {
  return openWith({ status: signingIn(overrides), auth: signedOut });
}

describe("a sign-in in progress", () => {
  it("shows the current step, the finished ones, and the host of the page", async () => {
    await openSignIn();
    const steps = within(screen.getByTestId("waiting")).getAllByRole("listitem");
    expect(steps.map((step) => step.getAttribute("aria-current"))).toEqual([null, null, "step", null, null]);
    expect(steps[0]).toHaveTextContent("Checking how to sign in to Notion, done");
    expect(steps[2]).toHaveTextContent("Waiting for your browser");
    expect(steps[2]).toHaveTextContent("Approve the request on mcp.notion.com.");
    expect(screen.getByTestId("waiting-left")).toHaveTextContent(/^4:3\d left$/);
    expect(screen.getByTestId("status")).toHaveTextContent("Signing in");
  });

  it("offers to open the browser only while it waits for the callback", async () => {
    await openSignIn({ step: "exchanging" });
    expect(screen.queryByTestId("waiting-open-again")).toBeNull();
    expect(screen.getByTestId("waiting-cancel")).toBeEnabled();
  });

  it("opens the browser again, copies the sign-in link, and cancels", async () => {
    const { backend, user } = await openSignIn();
    await user.click(screen.getByTestId("waiting-open-again"));
    await user.click(screen.getByTestId("waiting-copy"));
    expect(await navigator.clipboard.readText()).toBe("https://mcp.notion.com/authorize?state=1");
    await user.click(screen.getByTestId("waiting-cancel"));
    expect(backend.callsOf("serverSignInAgain")).toEqual([["notion"]]);
    expect(backend.callsOf("serverCancelSignIn")).toEqual([["notion"]]);
  });

  it("can be cancelled while another command hangs", async () => {
    const { backend, user } = await openSignIn();
    backend.hang("serverSignInAgain");
    await user.click(screen.getByTestId("waiting-open-again"));
    await user.click(screen.getByTestId("waiting-cancel"));
    expect(backend.callsOf("serverCancelSignIn")).toEqual([["notion"]]);
  });

  it("names the next return method, and tries it", async () => {
    const { backend, user } = await openSignIn({ next_redirect: "loopback" });
    await user.click(screen.getByText("Something not working?"));
    expect(screen.getByTestId("waiting-help")).toHaveTextContent("through a local address on this computer");
    await user.click(screen.getByTestId("waiting-next-redirect"));
    expect(backend.callsOf("serverNextRedirect")).toEqual([["notion"]]);
  });

  it("offers the same return method without the prompt", async () => {
    const { backend, user } = await openSignIn({ next_redirect: "loopback", next_omits_prompt: true });
    await user.click(screen.getByText("Something not working?"));
    expect(screen.getByTestId("waiting-help")).toHaveTextContent(
      "a request that always asks for your consent",
    );
    await user.click(screen.getByText("Try without asking for consent"));
    expect(backend.callsOf("serverNextRedirect")).toEqual([["notion"]]);
  });

  it("offers the request without the prompt beside pasting", async () => {
    await openSignIn({ redirect: "paste", next_redirect: "paste", next_omits_prompt: true });
    expect(screen.getByTestId("waiting-next-redirect")).toHaveTextContent("Try without asking for consent");
  });

  it("offers no return method after the last one", async () => {
    await openSignIn({ next_redirect: null });
    expect(screen.queryByTestId("waiting-next-redirect")).toBeNull();
    expect(screen.getByTestId("waiting-help")).toHaveTextContent("There is no other return method to try");
  });

  it("accepts a pasted address with spaces around it", async () => {
    const { backend, user } = await openSignIn();
    const field = screen.getByTestId("waiting-paste");
    await user.type(field, "  dev.usher.desktop:/oauth/callback?code=1&state=2 ");
    await user.click(screen.getByTestId("waiting-paste-submit"));
    expect(backend.callsOf("signInComplete")).toEqual([["dev.usher.desktop:/oauth/callback?code=1&state=2"]]);
    await waitFor(() => expect(field).toHaveValue(""));
  });

  it("keeps an address that was entered while another one was sent", async () => {
    const { backend, user } = await openSignIn();
    const field = screen.getByTestId("waiting-paste");
    const release = backend.hold("signInComplete");
    await user.type(field, "dev.usher.desktop:/1");
    await user.click(screen.getByTestId("waiting-paste-submit"));
    await user.type(field, "2");
    expect(screen.getByTestId("waiting-paste-submit")).toBeDisabled();
    release();
    await waitFor(() => expect(screen.getByTestId("waiting-paste-submit")).toBeEnabled());
    expect(field).toHaveValue("dev.usher.desktop:/12");
  });

  it("keeps a rejected address, and shows the error", async () => {
    const { backend, user } = await openSignIn({ redirect: "paste" });
    backend.fail("signInComplete", error("authorization_denied", "It belongs to no sign-in."));
    await user.type(screen.getByTestId("waiting-paste"), "https://example.com/{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent("It belongs to no sign-in.");
    expect(screen.getByTestId("waiting-paste")).toHaveValue("https://example.com/");
  });

  it("announces the state, but not the countdown", async () => {
    await openSignIn();
    expect(screen.getByTestId("waiting-left").closest("[aria-live], [role=status]")).toBeNull();
    expect(screen.getAllByRole("status")[0]).toHaveTextContent("Notion: Signing in");
  });

  it("is replaced by the tools once connected", async () => {
    const { backend } = await openSignIn();
    backend.emit({ event: "server_changed", revision: 11, view: server() });
    expect(await screen.findByTestId("tool-search_pages")).toHaveTextContent("Search pages");
    expect(screen.queryByTestId("waiting")).toBeNull();
  });
});

describe("a sign-in on another device", () => {
  const open = (overrides: Parameters<typeof onDevice>[0] = {}) =>
    openWith({ status: onDevice(overrides), auth: signedOut });

  it("shows the code, the page, the QR code and the time left", async () => {
    await open();
    const steps = within(screen.getByTestId("waiting")).getAllByRole("listitem");
    expect(steps.map((step) => step.getAttribute("aria-current"))).toEqual([null, null, "step", null]);
    expect(screen.getByTestId("device-code")).toHaveTextContent("WDJB-MJHT");
    expect(screen.getByTestId("device-page")).toHaveTextContent("https://mcp.notion.com/device");
    expect(await screen.findByRole("img", { name: "QR code of the page" })).toBeVisible();
    expect(screen.getByTestId("device-left")).toHaveTextContent(/^The code expires in \d:\d\d$/);
    expect(screen.queryByTestId("waiting-paste")).toBeNull();
  });

  it("opens the page only after a click, copies the code, and cancels", async () => {
    const { backend, user } = await open();
    expect(backend.callsOf("serverSignInAgain")).toEqual([]);
    await user.click(screen.getByTestId("device-copy-code"));
    expect(await navigator.clipboard.readText()).toBe("WDJB-MJHT");
    await user.click(screen.getByTestId("device-open"));
    await user.click(screen.getByTestId("waiting-cancel"));
    expect(backend.callsOf("serverSignInAgain")).toEqual([["notion"]]);
    expect(backend.callsOf("serverCancelSignIn")).toEqual([["notion"]]);
  });

  it("works without a QR code, and says that the code has expired", async () => {
    const expired = { ...device, expires_at: new Date(Date.now() - 1000).toISOString() };
    const { backend } = await open({ device: expired });
    backend.fail("serverSignInQrCode", error("internal", "The address is too long for a QR code."));
    expect(screen.getByTestId("device-left")).toHaveTextContent("The code has expired");
    expect(screen.getByTestId("device-code")).toBeVisible();
  });

  it("is offered if the service supports it", async () => {
    const { backend, user } = await openWith({ ...needsSignIn("never_signed_in"), offers_device: true });
    await user.click(screen.getByTestId("sign-in-on-device"));
    expect(backend.callsOf("serverSignInOnDevice")).toEqual([["notion"]]);
  });

  it("is offered while the browser is open, and not without support", async () => {
    const { backend, user } = await openWith({ status: signingIn(), auth: signedOut, offers_device: true });
    await user.click(screen.getByText("Something not working?"));
    await user.click(screen.getByTestId("sign-in-on-device"));
    expect(backend.callsOf("serverSignInOnDevice")).toEqual([["notion"]]);
  });

  it("is not offered without support", async () => {
    await openWith(needsSignIn("never_signed_in"));
    expect(screen.queryByTestId("sign-in-on-device")).toBeNull();
  });
});
