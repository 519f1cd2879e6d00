import { error, needsSignIn, onDevice, server, signedOut, signingIn } from "../../support/views";
import type { Scenes } from "./scene";

const permission = { scopes: ["pages:write"], tool_title: "Create a page" };

export const signInScenes: Scenes = {
  "sign-in-discovering": {
    service: {
      status: signingIn({
        step: "discovering",
        host: null,
        opened: null,
        redirect: null,
        next_redirect: null,
      }),
      auth: signedOut,
    },
  },
  "sign-in-for-permission": {
    service: { permission },
    find: "tool",
    act: async ({ find }, backend) => {
      const view = server({ permission, status: signingIn() });
      backend.emit({ event: "server_changed", revision: 11, view });
      await find("waiting");
    },
  },
  "sign-in-waiting": { service: { status: signingIn(), auth: signedOut } },
  "sign-in-help": {
    service: { status: signingIn(), auth: signedOut },
    act: ({ unfold }) => unfold("waiting-help"),
  },
  "sign-in-paste": {
    service: { status: signingIn({ redirect: "paste", next_redirect: null }), auth: signedOut },
    prepare: (backend) =>
      backend.fail(
        "signInComplete",
        error("authorization_denied", "This address belongs to no pending sign-in.", {
          hint: "Copy the whole address, from “dev.usher.desktop:” to its end.",
        }),
      ),
    act: async ({ type, press }) => {
      await type("waiting-paste", "https://example.com/");
      await press("waiting-paste-submit");
    },
  },
  "sign-in-on-device": { service: { status: onDevice(), auth: signedOut }, find: "device-qr" },
  "sign-in-offers-device": { service: { ...needsSignIn("never_signed_in"), offers_device: true } },
  "sign-in-not-added": {
    press: ["add-service", "add-server"],
    act: async ({ type, find, press }, backend) => {
      await type("add-url", "https://mcp.example.com/mcp");
      await find("entry-preview");
      const view = server({ id: "example", name: "Example", status: signingIn(), auth: signedOut });
      backend.current = { ...backend.current, revision: 11, servers: [...backend.current.servers, view] };
      await press("add-submit");
      await find("waiting");
      await press("waiting-cancel");
      while (backend.callsOf("serverRemove").length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      backend.emit({ event: "server_removed", revision: 12, id: "example" });
      await find("not-added");
    },
  },
  "sign-in-exchanging": { service: { status: signingIn({ step: "exchanging" }), auth: signedOut } },
};
