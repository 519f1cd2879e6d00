import type { ServerView } from "../backend/bindings";

export function isSignedIn({ auth }: ServerView): boolean {
  return auth.kind === "o_auth" && auth.signed_in;
}

/** The signed-in account, if the service reported it. */
export function account({ auth }: ServerView): string | null {
  return auth.kind === "o_auth" && auth.signed_in ? auth.account : null;
}
