import { expect, it } from "vitest";

import { wants } from "../../src/lib/wants";
import { error, server } from "../support/views";

const permission = { scopes: ["pages:write"], for_what: "Create a page" };

it.each([
  [{}, null],
  [{ permission }, "permission"],
  [{ last_error: error("insufficient_scope", "More permission is needed.") }, "permission"],
  [{ last_error: error("sign_in_required", "You are signed out.") }, "sign_in"],
  [{ permission, last_error: error("sign_in_required", "You are signed out.") }, "permission"],
  [{ last_error: error("internal", "It failed.") }, null],
] as const)("a connected service with %j wants %s, and a service that is off wants nothing", (more, want) => {
  expect(wants(server(more))).toBe(want);
  expect(wants(server({ ...more, status: { state: "disabled" } }))).toBeNull();
});
