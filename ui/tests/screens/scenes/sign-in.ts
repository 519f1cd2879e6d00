import { error, server, signedOut, signingIn } from "../../support/views";
import { type Scenes, withServices } from "./scene";

export const signInScenes: Scenes = {
  "sign-in-discovering": {
    backend: () =>
      withServices({
        status: signingIn({
          step: "discovering",
          host: null,
          opened: null,
          redirect: null,
          next_redirect: null,
        }),
        auth: signedOut,
      }),
  },
  "sign-in-for-permission": {
    backend: () => withServices({ permission: { scopes: ["pages:write"], for_what: "Create a page" } }),
    act: async ({ find }, backend) => {
      await find("tool");
      const permission = { scopes: ["pages:write"], for_what: "Create a page" };
      backend.emit({
        event: "server_changed",
        revision: 11,
        view: server({ permission, status: signingIn() }),
      });
      await find("waiting");
    },
  },
  "sign-in-waiting": { backend: () => withServices({ status: signingIn(), auth: signedOut }) },
  "sign-in-help": {
    backend: () => withServices({ status: signingIn(), auth: signedOut }),
    act: async ({ find }) => void (await find("waiting-help")).toggleAttribute("open", true),
  },
  "sign-in-paste": {
    backend: () =>
      withServices({ status: signingIn({ redirect: "paste", next_redirect: null }), auth: signedOut }).fail("signInComplete", error("authorization_denied", "This address belongs to no pending sign-in.", {
            hint: "Copy the whole address, from “dev.usher.desktop:” to its end.",
          })),
    act: async ({ type, press }) => {
      await type("waiting-paste", "https://example.com/");
      await press("waiting-paste-submit");
    },
  },
  "sign-in-exchanging": { backend: () => withServices({ status: signingIn({ step: "exchanging" }), auth: signedOut }) },
};
