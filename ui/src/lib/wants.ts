import type { ServerView } from "../backend/types";

export type Want = "permission" | "sign_in";

/** The open request of a connected server to the person; `null` in every other state. */
export function wants({ status, permission, last_error }: ServerView): Want | null {
  if (status.state !== "connected") return null;
  if (permission || last_error?.code === "insufficient_scope") return "permission";
  // A 401 inside a tool's result: the connection works, the sign-in does not.
  return last_error?.code === "sign_in_required" ? "sign_in" : null;
}
