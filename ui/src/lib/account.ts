import type { ServerView } from "../backend/types";

export function isSignedIn({ auth }: ServerView): boolean {
  return auth.kind === "o_auth" && auth.signed_in;
}

/** The account of the sign-in, if the service named one. */
export function account({ auth }: ServerView): string | null {
  return auth.kind === "o_auth" && auth.signed_in ? auth.account : null;
}
