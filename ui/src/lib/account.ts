import type { ServerView } from "../backend/bindings";

/** Whether the service is connected without a sign-in, and offers one because some requests need it. */
export function isConnectedWithoutSignIn({ auth, status }: ServerView): boolean {
  return status.state === "connected" && auth.kind === "o_auth" && !auth.signed_in;
}

export function isSignedIn({ auth }: ServerView): boolean {
  return auth.kind === "o_auth" && auth.signed_in;
}
