import { draftOf } from "../../support/entries";
import { error } from "../../support/views";
import type { Scenes } from "./scene";

const snapshot = { servers: [] };
const key = { url: "https://mcp.example.com/mcp", headers: { "X-Api-Key": "{{example_key}}" } };

export const entryScenes: Scenes = {
  "entry-address": {
    snapshot,
    press: ["add-server"],
    act: async ({ type, press }) => {
      await type("add-url", "https://mcp.example.com/mcp");
      await press("api-key");
    },
  },
  "entry-nothing-answers": {
    snapshot,
    prepare: (backend) => {
      const unreachable = error("server_unreachable", "Could not reach mcp.example.com: connection refused.");
      backend.probe = { kind: "failed", error: unreachable };
    },
    press: ["add-server"],
    act: async ({ type, find, press }) => {
      await type("add-url", "https://mcp.example.com/mcp");
      await find("entry-preview");
      await press("add-submit");
      await find("error");
    },
  },
  "entry-program": {
    snapshot,
    press: ["add-server"],
    act: async ({ type, find }) => {
      await type("add-url", "npx -y @scope/server-notes --key={{notes_key}}");
      await find("missing-secrets");
    },
  },
  "entry-refused": {
    snapshot,
    press: ["add-server"],
    act: async ({ type, find }) => {
      await type("add-url", "notaurl");
      await find("entry-problems");
    },
  },
  "entry-another-account": {
    prepare: (backend) => {
      const same_address = [{ server: "notion", name: "Notion", account: "ada@lovelace.example" }];
      backend.check = (check) => ({ ...check, draft: check.draft && { ...check.draft, same_address } });
    },
    press: ["add-service", "add-server"],
    act: async ({ type, press }) => {
      await type("add-url", "https://mcp.notion.com/mcp");
      await press("another-account");
    },
  },
  "entry-edit": { press: ["tab-details", "edit"], find: "entry-title" },
  "entry-edit-sign-in": {
    press: ["tab-details", "edit"],
    act: async ({ find, unfold, press }) => {
      await find("entry-title");
      await unfold("oauth-fields");
      await press("parameters-add");
    },
  },
  "entry-edit-json": {
    press: ["tab-details", "edit"],
    act: async ({ find, press }) => {
      await find("entry-title");
      await press("entry-json-toggle");
    },
  },
  "entry-change": {
    prepare: (backend) => {
      const removes = { grant: true, secrets: ["notion_key"] };
      backend.check = () => ({ draft: { ...draftOf(key, "notion"), removes }, problems: [], choices: [] });
    },
    press: ["tab-details", "edit"],
    act: async ({ type, find }) => {
      await type("entry-description", "Notes");
      await find("entry-removals");
    },
  },
};
