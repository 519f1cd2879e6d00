import { describe, expect, it } from "vitest";

import { accountText, withoutLabel } from "../../src/lib/account";
import { catalogue } from "../support/views";

describe("another account", () => {
  it("is named like the service without the label of the first account", () => {
    const names = ["Notion", "Notion (work)", "Notion (work) (old)", "(work)", "Notion (work) notes"];
    expect(names.map(withoutLabel)).toEqual([
      "Notion",
      "Notion",
      "Notion (work)",
      "(work)",
      "Notion (work) notes",
    ]);
  });

  it("is added with the scopes that the service requires", () => {
    const texts = catalogue.map((entry) => ({ entry, text: accountText(entry) }));
    const withScopes = texts.filter(({ entry }) => (entry.setup?.scopes ?? []).length > 0);
    expect(withScopes.length).toBeGreaterThan(0);
    for (const { entry, text } of texts) {
      const scopes = entry.setup?.scopes ?? [];
      if (scopes.length === 0) expect(text).toBe(entry.url);
      else expect(JSON.parse(text)).toEqual({ url: entry.url, oauth: { scopes } });
    }
  });
});
