import type {
  AppInfo,
  Appearance,
  CatalogueEntry,
  Client,
  ConfigView,
  DesktopView,
  ElicitationAnswer,
  ErrorView,
  Event,
  NewServer,
  PromptView,
  RedirectKind,
  ResourceView,
  SecretStoreChoice,
  ServerId,
  Snapshot,
  ToolCallView,
  ToolView,
  PageRequest,
} from "./types";

/**
 * Everything the window asks of the world. The shell stands behind it in the app; tests and the screenshots page
 * stand a scripted one behind it. Each call rejects with a `Refusal` and with nothing else.
 */
export interface Backend {
  /**
   * Resolves once listening, so that a snapshot asked for afterwards misses nothing. `replaced` gets the whole anew
   * when another engine took over; its revisions begin again.
   */
  subscribe(listener: (event: Event) => void, replaced: (snapshot: Snapshot) => void): Promise<() => void>;
  /** Waits for the engine to start, and rejects with the reason where it cannot. */
  snapshot(): Promise<Snapshot>;
  /** Resolves once listening for what this desktop has around the window; `appInfo` tells how it is now. */
  subscribeDesktop(listener: (desktop: DesktopView) => void): Promise<() => void>;
  /**
   * Hands over each service's page that the person asks for outside the window, for as long as the window lives; the
   * one that it was opened for has been handed over when this resolves.
   */
  subscribeWanted(listener: (page: PageRequest) => void): Promise<void>;
  catalogueList(): Promise<CatalogueEntry[]>;
  appInfo(): Promise<AppInfo>;
  /** Starts the engine again after it could not. */
  appRetry(): Promise<void>;
  /** The first screen is in the document: the window may be shown. */
  appReady(): Promise<void>;
  /** The first screen that a person can use was painted. */
  appPainted(): Promise<void>;
  /** Rejects with what became of a link that opened the app, where its sign-in is gone. May take a moment. */
  startLink(): Promise<void>;
  appearanceSet(appearance: Appearance): Promise<void>;
  autostartSet(enabled: boolean): Promise<void>;

  serverAdd(server: NewServer): Promise<ServerId>;
  serverRemove(id: ServerId): Promise<void>;
  serverEnable(id: ServerId): Promise<void>;
  serverDisable(id: ServerId): Promise<void>;
  serverConnect(id: ServerId): Promise<void>;
  serverDisconnect(id: ServerId): Promise<void>;
  /** Lets go of every connection, until `serversResume` or the next start. */
  serversPause(): Promise<void>;
  serversResume(): Promise<void>;
  demoAdd(): Promise<ServerId>;

  /** Begins a sign-in and opens the browser. `client` is what the person registered by hand. */
  serverSignIn(id: ServerId, redirect?: RedirectKind, client?: Client): Promise<void>;
  /** Opens the page of the running sign-in once more. */
  serverSignInAgain(id: ServerId): Promise<void>;
  /** The address of that page, to be copied. */
  serverSignInAddress(id: ServerId): Promise<string>;
  /** Tries the next way back from the browser. */
  serverNextRedirect(id: ServerId): Promise<void>;
  serverCancelSignIn(id: ServerId): Promise<void>;
  /** Takes the address that the browser ended at. */
  signInComplete(address: string): Promise<ServerId>;
  serverSignOut(id: ServerId): Promise<void>;
  /** "Not now" to what the service wants permission for: the call that waits for it fails. */
  serverDeclinePermission(id: ServerId): Promise<void>;

  serverTools(id: ServerId): Promise<ToolView[]>;
  serverResources(id: ServerId): Promise<ResourceView[]>;
  serverPrompts(id: ServerId): Promise<PromptView[]>;
  toolCall(id: ServerId, name: string, argumentsJson: string, call: string): Promise<ToolCallView>;
  toolCancel(call: string): Promise<void>;
  elicitationAnswer(id: string, answer: ElicitationAnswer, contentJson: string | null): Promise<void>;

  configOpen(): Promise<void>;
  /** Reads `mcp.json` again. */
  configCheck(): Promise<ConfigView>;
  secretStoreRetry(): Promise<void>;
  secretStoreChoose(choice: SecretStoreChoice): Promise<void>;
  /** Opens a page in the browser after a click; checked again behind this door. */
  linkOpen(url: string): Promise<void>;
}

/** A call that did not succeed, with what the person should read. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(readonly view: ErrorView) {
    super(view.message);
  }
}

/** The view of anything that was thrown. */
export function errorView(thrown: unknown): ErrorView {
  if (thrown instanceof Refusal) return thrown.view;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    code: "internal",
    message,
    hint: null,
    details: thrown instanceof Error ? (thrown.stack ?? null) : null,
  };
}
