import type { SecretsView, SecretUseView, SecretView } from "../../src/backend/bindings";
import { secondsFromNow } from "./views";

export function secretUse(overrides: Partial<SecretUseView> = {}): SecretUseView {
  return {
    server: "notion",
    server_name: "Notion",
    setting: ["headers", "X-Api-Key"],
    is_program: false,
    is_disabled: false,
    ...overrides,
  };
}

export function secretView(overrides: Partial<SecretView> = {}): SecretView {
  return {
    name: "notion_key",
    state: "stored",
    uses: [secretUse()],
    origins: ["https://mcp.notion.com"],
    refused_origins: [],
    in_use: false,
    last_used: secondsFromNow(-3 * 3600 - 60),
    ...overrides,
  };
}

/** A list with a secret of each kind. */
export function secretList(overrides: Partial<SecretsView> = {}): SecretsView {
  return {
    secrets: [
      secretView({
        name: "files_token",
        state: "missing",
        uses: [
          secretUse({ server: "files", server_name: "files", setting: ["env", "TOKEN"], is_program: true }),
        ],
        origins: [],
        last_used: null,
      }),
      secretView({
        uses: [
          secretUse(),
          secretUse({
            server: "github",
            server_name: "GitHub",
            setting: ["oauth", "clientSecret"],
            is_disabled: true,
          }),
        ],
        refused_origins: ["https://api.githubcopilot.com"],
        in_use: true,
      }),
      secretView({ name: "old_key", uses: [], last_used: null }),
      secretView({
        name: "${TEAM}",
        state: "variable",
        uses: [secretUse({ server: "linear", server_name: "Linear", setting: ["headers", "X-Team"] })],
        origins: ["https://mcp.linear.app"],
        last_used: null,
      }),
    ],
    unknown_entries: [],
    config_error: null,
    ...overrides,
  };
}
