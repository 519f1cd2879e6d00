import { screen, waitFor } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { Refusal } from "../../src/backend/backend";
import { FakeBackend } from "../support/fake-backend";
import { error, server, snapshot, signingIn, signedOut } from "../support/views";
import { open } from "../support/window";

function first(): FakeBackend {
  return new FakeBackend({ servers: [] });
}

describe("the first start", () => {
  it("shows the gallery, the demo first", async () => {
    await open(first());
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Welcome");
    expect(screen.getByTestId("try-demo")).toHaveTextContent("Try the demo");
    expect(screen.getByTestId("connect-notion")).toHaveTextContent("Connect Notion");
    expect(screen.getByTestId("connect-linear")).toHaveTextContent("Connect Linear");
    expect(screen.getByRole("heading", { name: "By invitation" })).toBeInTheDocument();
    expect(screen.getByTestId("connect-figma")).toHaveTextContent("accepts only apps on its list");
  });

  it("tells the shell that it stands, and that it was painted, once", async () => {
    const { backend } = await open(first());
    await expect.poll(() => backend.asked("appPainted")).toEqual([[]]);
    expect(backend.asked("appReady")).toEqual([[]]);
    expect(document.documentElement.dataset.ready).toBe("true");
  });

  it("connects with one click: adds, shows and signs in", async () => {
    const backend = first();
    const { user } = await open(backend);
    backend.current = snapshot({ revision: 11, servers: [server({ status: signingIn(), auth: signedOut })] });
    await user.click(screen.getByTestId("connect-notion"));
    expect(await screen.findByTestId("waiting")).toBeInTheDocument();
    expect(backend.asked("serverAdd")).toEqual([
      [
        {
          name: "notion",
          url: "https://mcp.notion.com/mcp",
          client_id: null,
          client_secret: null,
          scopes: null,
        },
      ],
    ]);
    expect(backend.asked("serverSignIn")).toEqual([["notion"]]);
  });

  it("tries the demo", async () => {
    const backend = first();
    const { user } = await open(backend);
    const demo = server({ id: "demo", name: "Demo notebook", catalogue: null });
    backend.current = snapshot({ revision: 11, servers: [demo] });
    await user.click(screen.getByTestId("try-demo"));
    expect(await screen.findByRole("heading", { level: 1, name: "Demo notebook" })).toBeInTheDocument();
    expect(backend.asked("demoAdd")).toEqual([[]]);
  });

  it("says why a service was not added, in its place", async () => {
    const backend = first();
    backend.answer(
      "serverAdd",
      new Refusal(error("config_invalid", "mcp.json is broken.", { hint: "Repair it." })),
    );
    const { user } = await open(backend);
    await user.click(screen.getByTestId("connect-notion"));
    expect(await screen.findByRole("alert")).toHaveTextContent(
      "mcp.json is broken.Repair it.".replace(".R", ". R"),
    );
    expect(backend.asked("serverSignIn")).toEqual([]);
  });

  it("searches by name, purpose and host", async () => {
    const { user } = await open(first());
    const search = screen.getByTestId("gallery-search");
    await user.type(search, "confluence");
    expect(screen.getAllByTestId(/^connect-/).map((card) => card.dataset.testid)).toEqual([
      "connect-atlassian",
    ]);
    await user.clear(search);
    await user.type(search, "githubcopilot");
    expect(screen.getAllByTestId(/^connect-/).map((card) => card.dataset.testid)).toEqual(["connect-github"]);
  });

  it("offers to add an address that it does not know", async () => {
    const { backend, user } = await open(first());
    await user.type(screen.getByTestId("gallery-search"), "mcp.example.com/mcp");
    await user.click(screen.getByRole("button", { name: "Add this address" }));
    expect(await screen.findByTestId("add-url")).toHaveValue("mcp.example.com/mcp");
    await user.click(screen.getByTestId("add-submit"));
    expect(backend.asked("serverAdd")).toEqual([
      [
        {
          name: null,
          url: "https://mcp.example.com/mcp",
          client_id: null,
          client_secret: null,
          scopes: null,
        },
      ],
    ]);
    await waitFor(() => expect(screen.queryByTestId("add-dialog")).toBeNull());
  });

  it("keeps the dialog open when the address is refused", async () => {
    const backend = first();
    backend.answer("serverAdd", new Refusal(error("config_invalid", "http is only for this computer.")));
    const { user } = await open(backend);
    await user.click(screen.getByTestId("add-server"));
    await user.type(await screen.findByTestId("add-url"), "http://example.com/mcp");
    await user.click(screen.getByTestId("add-submit"));
    expect(await screen.findByRole("alert")).toHaveTextContent("http is only for this computer.");
    expect(screen.getByTestId("add-url")).toHaveValue("http://example.com/mcp");
  });

  it("opens what is added already instead of adding it twice", async () => {
    const { backend, user } = await open();
    await user.click(screen.getByTestId("add-service"));
    const card = screen.getByTestId("connect-notion");
    expect(card).toHaveTextContent("Open Notion");
    await user.click(card);
    expect(await screen.findByTestId("service")).toBeInTheDocument();
    expect(backend.asked("serverAdd")).toEqual([]);
  });
});

describe("guided set-up", () => {
  it("shows the steps, the redirect to enter and the scopes, and takes what the service gave", async () => {
    const backend = first();
    const { user } = await open(backend);
    await user.click(screen.getByTestId("connect-slack"));
    const page = await screen.findByTestId("set-up");
    expect(page).toHaveTextContent("turn on PKCE");
    expect(page).toHaveTextContent("dev.usher.desktop:/oauth/callback");
    expect(page).toHaveTextContent("channels:history");
    await user.click(screen.getByTestId("set-up-open"));
    expect(backend.asked("linkOpen")).toEqual([["https://api.slack.com/apps?new_app=1"]]);
    await user.type(screen.getByTestId("client-id"), "123.456");
    await user.click(screen.getByTestId("set-up-submit"));
    expect(backend.asked("serverAdd")[0]?.[0]).toMatchObject({
      name: "slack",
      client_id: "123.456",
      client_secret: null,
      scopes: expect.arrayContaining(["channels:history"]),
    });
  });

  it("insists on the secret where the service does, and hides it", async () => {
    const { user } = await open(first());
    await user.click(screen.getByTestId("connect-github"));
    await user.type(await screen.findByTestId("client-id"), "Iv1.abc");
    expect(screen.getByTestId("set-up-submit")).toBeDisabled();
    const secret = screen.getByTestId("client-secret");
    expect(secret).toHaveAttribute("type", "password");
    await user.type(secret, "s3cret");
    expect(screen.getByTestId("set-up-submit")).toBeEnabled();
  });
});
