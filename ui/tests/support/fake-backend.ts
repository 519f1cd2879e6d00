import type { Backend } from "../../src/backend/backend";
import type { BackendError } from "../../src/backend/error";
import type {
  CatalogueEntry,
  DesktopView,
  ErrorView,
  Event,
  PromptView,
  ResourceView,
  ServerId,
  Snapshot,
  ToolCallView,
  ToolView,
  PageRequest,
} from "../../src/backend/types";
import { catalogue, info, prompts, resources, snapshot, tools } from "./views";

type Method = Exclude<keyof Backend, "subscribe" | "subscribeDesktop" | "subscribeWanted">;
export type Call = [method: Method, ...args: unknown[]];

/** A backend with scripted replies that records its calls. */
export class FakeBackend implements Backend {
  readonly calls: Call[] = [];
  current: Snapshot;
  entries: CatalogueEntry[] = catalogue;
  tools: ToolView[] = tools;
  resources: ResourceView[] = resources;
  prompts: PromptView[] = prompts;
  result: ToolCallView = { is_error: false, content: [{ kind: "text", text: "Done." }], structured: null };
  info = info;
  #responses = new Map<Method, () => Promise<never>>();
  #listener: (event: Event) => void = () => undefined;
  #desktop: (desktop: DesktopView) => void = () => undefined;
  #replaced: (snapshot: Snapshot) => void = () => undefined;
  #wanted: (page: PageRequest) => void = () => undefined;
  /** The service whose page is requested when the window opens. */
  openedFor: ServerId | null = null;

  constructor(current: Partial<Snapshot> = {}) {
    this.current = snapshot(current);
  }

  /** The arguments of each call of one method. */
  callsOf(method: Method): unknown[][] {
    return this.calls.filter(([name]) => name === method).map(([, ...args]) => args);
  }

  /** Makes a method fail, or never return. */
  respond(method: Method, response: BackendError | "never"): this {
    this.#responses.set(method, () =>
      response === "never" ? new Promise(() => undefined) : Promise.reject(response),
    );
    return this;
  }

  emit(event: Event): void {
    this.#listener(event);
  }

  replace(snapshot: Snapshot): void {
    this.#replaced(snapshot);
  }

  /** Changes parts of the desktop and reports the change. */
  changeDesktop(desktop: Partial<DesktopView>): void {
    this.info = { ...this.info, desktop: { ...this.info.desktop, ...desktop } };
    this.#desktop(this.info.desktop);
  }

  #call<T>(method: Method, args: unknown[], value: T): Promise<T> {
    this.calls.push([method, ...args.filter((arg) => arg !== undefined)]);
    return this.#responses.get(method)?.() ?? Promise.resolve(value);
  }

  async subscribe(
    listener: (event: Event) => void,
    replaced: (snapshot: Snapshot) => void,
  ): Promise<() => void> {
    this.#listener = listener;
    this.#replaced = replaced;
    return () => (this.#listener = () => undefined);
  }

  async subscribeDesktop(listener: (desktop: DesktopView) => void): Promise<() => void> {
    this.#desktop = listener;
    return () => (this.#desktop = () => undefined);
  }

  async subscribeWanted(listener: (page: PageRequest) => void): Promise<void> {
    this.#wanted = listener;
    if (this.openedFor !== null) this.requestPage(this.openedFor);
  }

  /** Requests a service's page, as a click in the tray does. */
  requestPage(server: ServerId, error: ErrorView | null = null): void {
    this.#wanted({ server, error });
  }

  snapshot = () => this.#call("snapshot", [], this.current);
  catalogueList = () => this.#call("catalogueList", [], this.entries);
  appInfo = () => this.#call("appInfo", [], this.info);
  appRetry = () => this.#call("appRetry", [], undefined);
  appReady = () => this.#call("appReady", [], undefined);
  appPainted = () => this.#call("appPainted", [], undefined);
  startLink = () => this.#call("startLink", [], undefined);
  appearanceSet: Backend["appearanceSet"] = (...args) => this.#call("appearanceSet", args, undefined);
  autostartSet: Backend["autostartSet"] = (...args) => this.#call("autostartSet", args, undefined);
  serverAdd: Backend["serverAdd"] = (...args) => this.#call("serverAdd", args, args[0].name ?? "added");
  serverRemove: Backend["serverRemove"] = (...args) => this.#call("serverRemove", args, undefined);
  serverEnable: Backend["serverEnable"] = (...args) => this.#call("serverEnable", args, undefined);
  serverDisable: Backend["serverDisable"] = (...args) => this.#call("serverDisable", args, undefined);
  serverConnect: Backend["serverConnect"] = (...args) => this.#call("serverConnect", args, undefined);
  serverDisconnect: Backend["serverDisconnect"] = (...args) =>
    this.#call("serverDisconnect", args, undefined);
  serverVerb: Backend["serverVerb"] = (...args) => this.#call("serverVerb", args, undefined);
  serversPause = () => this.#call("serversPause", [], undefined);
  serversResume = () => this.#call("serversResume", [], undefined);
  demoAdd = () => this.#call("demoAdd", [], "demo");
  serverSignIn: Backend["serverSignIn"] = (...args) => this.#call("serverSignIn", args, undefined);
  serverSignInAgain: Backend["serverSignInAgain"] = (...args) =>
    this.#call("serverSignInAgain", args, undefined);
  serverSignInAddress: Backend["serverSignInAddress"] = (...args) =>
    this.#call("serverSignInAddress", args, "https://mcp.notion.com/authorize?state=1");
  serverNextRedirect: Backend["serverNextRedirect"] = (...args) =>
    this.#call("serverNextRedirect", args, undefined);
  serverCancelSignIn: Backend["serverCancelSignIn"] = (...args) =>
    this.#call("serverCancelSignIn", args, undefined);
  signInComplete: Backend["signInComplete"] = (...args) => this.#call("signInComplete", args, "notion");
  serverSignOut: Backend["serverSignOut"] = (...args) => this.#call("serverSignOut", args, undefined);
  serverDeclinePermission: Backend["serverDeclinePermission"] = (...args) =>
    this.#call("serverDeclinePermission", args, undefined);
  serverTools: Backend["serverTools"] = (...args) => this.#call("serverTools", args, this.tools);
  serverResources: Backend["serverResources"] = (...args) =>
    this.#call("serverResources", args, this.resources);
  serverPrompts: Backend["serverPrompts"] = (...args) => this.#call("serverPrompts", args, this.prompts);
  toolCall: Backend["toolCall"] = (...args) => this.#call("toolCall", args, this.result);
  toolCancel: Backend["toolCancel"] = (...args) => this.#call("toolCancel", args, undefined);
  elicitationAnswer: Backend["elicitationAnswer"] = (...args) =>
    this.#call("elicitationAnswer", args, undefined);
  configOpen = () => this.#call("configOpen", [], undefined);
  configCheck = () => this.#call("configCheck", [], this.current.config);
  secretStoreRetry = () => this.#call("secretStoreRetry", [], undefined);
  secretStoreChoose: Backend["secretStoreChoose"] = (...args) =>
    this.#call("secretStoreChoose", args, undefined);
  linkOpen: Backend["linkOpen"] = (...args) => this.#call("linkOpen", args, undefined);
}
