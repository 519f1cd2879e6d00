import type { ServerView } from "../backend/bindings";

export function isSignedIn({ auth }: ServerView): boolean {
  return auth.kind === "o_auth" && auth.signed_in;
}
