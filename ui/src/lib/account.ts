import type { CatalogueEntry, ServerView } from "../backend/bindings";

/** Whether the service is connected without a sign-in, and offers one because some requests need it. */
export function isConnectedWithoutSignIn({ auth, status }: ServerView): boolean {
  return status.state === "connected" && auth.kind === "o_auth" && !auth.signed_in;
}

export function isSignedIn({ auth }: ServerView): boolean {
  return auth.kind === "o_auth" && auth.signed_in;
}

/** The name of a service without the label of an account: "Notion (work)" is "Notion". */
export function withoutLabel(name: string): string {
  return name.replace(/(?<=.) \([^()]*\)$/, "");
}

/** The text from which another account of a known service is added. */
export function accountText({ url, setup }: CatalogueEntry): string {
  const scopes = setup?.scopes ?? [];
  return scopes.length > 0 ? JSON.stringify({ url, oauth: { scopes } }) : url;
}
