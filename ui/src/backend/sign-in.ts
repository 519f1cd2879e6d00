import { commands } from "./bindings";
import { done, serverVerb, unwrap } from "./ipc";
import type { Client, ServerId } from "./types";

/** Signing in and out, and permissions. */
export interface SignInBackend {
  /** Begins a sign-in and opens the browser. `client` is a client that the person registered. */
  serverSignIn(id: ServerId, client?: Client): Promise<void>;
  /** Opens the page of the pending sign-in again. */
  serverSignInAgain(id: ServerId): Promise<void>;
  /** The address of that page, for copying. */
  serverSignInAddress(id: ServerId): Promise<string>;
  /** Begins the pending sign-in again with the next redirect. */
  serverNextRedirect(id: ServerId): Promise<void>;
  serverCancelSignIn(id: ServerId): Promise<void>;
  /** Completes a sign-in with the callback address that the person copied from the browser. */
  signInComplete(address: string): Promise<ServerId>;
  serverSignOut(id: ServerId): Promise<void>;
  /** Declines the requested permission; the call that waits for it fails. */
  serverDeclinePermission(id: ServerId): Promise<void>;
}

export const signIn: SignInBackend = {
  serverSignIn: (id, client) => done(commands.serverSignIn(id, client ?? null)),
  serverSignInAgain: (id) => done(commands.serverSignInAgain(id)),
  serverSignInAddress: (id) => unwrap(commands.serverSignInAddress(id)),
  serverNextRedirect: (id) => done(commands.serverNextRedirect(id)),
  serverCancelSignIn: (id) => serverVerb(id, "cancel_sign_in"),
  signInComplete: (address) => unwrap(commands.signInComplete(address)),
  serverSignOut: (id) => serverVerb(id, "sign_out"),
  serverDeclinePermission: (id) => serverVerb(id, "decline_permission"),
};
