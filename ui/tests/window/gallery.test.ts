import { screen } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { FakeBackend } from "../support/fake-backend";
import { error, server, snapshot, signingIn, signedOut } from "../support/views";
import { open } from "../support/window";

function withoutServices(): FakeBackend {
  return new FakeBackend({ servers: [] });
}

const withoutClient = { client_id: null, client_secret: null, scopes: null };

describe("the first start", () => {
  it("shows the gallery, with the demo first", async () => {
    await open(withoutServices());
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Welcome");
    expect(screen.getByTestId("try-demo")).toHaveTextContent("Try the demo");
    expect(screen.getByTestId("connect-notion")).toHaveTextContent("Connect Notion");
    expect(screen.getByTestId("connect-linear")).toHaveTextContent("Connect Linear");
    expect(screen.getByRole("heading", { name: "Approved apps only" })).toBeInTheDocument();
    expect(screen.getByTestId("connect-figma")).toHaveTextContent("accepts only apps that it has approved");
  });

  it("reports once that it is ready, and once that it was painted", async () => {
    const { backend } = await open(withoutServices());
    await expect.poll(() => backend.callsOf("appPainted")).toEqual([[]]);
    expect(backend.callsOf("appReady")).toEqual([[]]);
    expect(document.documentElement.dataset.ready).toBe("true");
  });

  it("connects with one click: adds, shows and signs in", async () => {
    const backend = withoutServices();
    const { user } = await open(backend);
    backend.current = snapshot({ revision: 11, servers: [server({ status: signingIn(), auth: signedOut })] });
    await user.click(screen.getByTestId("connect-notion"));
    expect(await screen.findByTestId("waiting")).toBeInTheDocument();
    expect(backend.callsOf("serverAdd")).toEqual([
      [{ name: "notion", url: "https://mcp.notion.com/mcp", ...withoutClient }],
    ]);
    expect(backend.callsOf("serverSignIn")).toEqual([["notion"]]);
  });

  it("adds and shows the demo", async () => {
    const backend = withoutServices();
    const { user } = await open(backend);
    const demo = server({ id: "demo", name: "Usher demo", catalogue: null });
    backend.current = snapshot({ revision: 11, servers: [demo] });
    await user.click(screen.getByTestId("try-demo"));
    expect(await screen.findByRole("heading", { level: 1, name: "Usher demo" })).toBeInTheDocument();
    expect(backend.callsOf("demoAdd")).toEqual([[]]);
  });

  it("shows why a service was not added", async () => {
    const backend = withoutServices();
    backend.fail("serverAdd", error("config_invalid", "mcp.json is broken.", { hint: "Repair it." }));
    const { user } = await open(backend);
    await user.click(screen.getByTestId("connect-notion"));
    expect(await screen.findByRole("alert")).toHaveTextContent("mcp.json is broken. Repair it.");
    expect(backend.callsOf("serverSignIn")).toEqual([]);
  });

  it("searches by name, purpose and host", async () => {
    const { user } = await open(withoutServices());
    const search = screen.getByTestId("gallery-search");
    await user.type(search, "confluence");
    expect(screen.getAllByTestId(/^connect-/).map((card) => card.dataset.testid)).toEqual([
      "connect-atlassian",
    ]);
    await user.clear(search);
    await user.type(search, "githubcopilot");
    expect(screen.getAllByTestId(/^connect-/).map((card) => card.dataset.testid)).toEqual(["connect-github"]);
  });

  it("offers to add an unknown address", async () => {
    const { user } = await open(withoutServices());
    await user.type(screen.getByTestId("gallery-search"), "mcp.example.com/mcp");
    await user.click(screen.getByRole("button", { name: "Add this address" }));
    expect(await screen.findByTestId("add-url")).toHaveValue("mcp.example.com/mcp");
    expect(await screen.findByTestId("entry-preview")).toHaveTextContent("https://mcp.example.com/mcp");
  });

  it("opens an added service instead of adding it twice", async () => {
    const { backend, user } = await open();
    await user.click(screen.getByTestId("add-service"));
    const card = screen.getByTestId("connect-notion");
    expect(card).toHaveTextContent("Open Notion");
    await user.click(card);
    expect(await screen.findByTestId("service")).toBeInTheDocument();
    expect(backend.callsOf("serverAdd")).toEqual([]);
  });
});

describe("guided setup", () => {
  it("shows the steps, the redirect and the scopes, and accepts the client ID", async () => {
    const backend = withoutServices();
    const { user } = await open(backend);
    await user.click(screen.getByTestId("connect-slack"));
    const page = await screen.findByTestId("set-up");
    expect(page).toHaveTextContent("turn on PKCE");
    expect(page).toHaveTextContent("dev.usher.desktop:/oauth/callback");
    expect(page).toHaveTextContent("channels:history");
    await user.click(screen.getByTestId("set-up-open"));
    expect(backend.callsOf("linkOpen")).toEqual([["https://api.slack.com/apps?new_app=1"]]);
    await user.type(screen.getByTestId("client-id"), "123.456");
    await user.click(screen.getByTestId("set-up-submit"));
    expect(backend.callsOf("serverAdd")[0]?.[0]).toMatchObject({
      name: "slack",
      client_id: "123.456",
      client_secret: null,
      scopes: expect.arrayContaining(["channels:history"]),
    });
  });

  it("requires the client secret if the service does, and hides the input", async () => {
    const { user } = await open(withoutServices());
    await user.click(screen.getByTestId("connect-github"));
    await user.type(await screen.findByTestId("client-id"), "Iv1.abc");
    expect(screen.getByTestId("set-up-submit")).toBeDisabled();
    const secret = screen.getByTestId("client-secret");
    expect(secret).toHaveAttribute("type", "password");
    await user.type(secret, "s3cret");
    expect(screen.getByTestId("set-up-submit")).toBeEnabled();
  });
});
