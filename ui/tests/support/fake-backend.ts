import { Refusal, type Backend } from "../../src/backend/backend";
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

type Verb = Exclude<keyof Backend, "subscribe" | "subscribeDesktop" | "subscribeWanted">;
export type Call = [verb: Verb, ...args: unknown[]];

/** A backend that says what it was told to say, and remembers what it was asked. */
export class FakeBackend implements Backend {
  readonly calls: Call[] = [];
  current: Snapshot;
  entries: CatalogueEntry[] = catalogue;
  tools: ToolView[] = tools;
  resources: ResourceView[] = resources;
  prompts: PromptView[] = prompts;
  result: ToolCallView = { is_error: false, content: [{ kind: "text", text: "Done." }], structured: null };
  info = info;
  #answers = new Map<Verb, () => Promise<never>>();
  #listener: (event: Event) => void = () => undefined;
  #desktop: (desktop: DesktopView) => void = () => undefined;
  #replaced: (snapshot: Snapshot) => void = () => undefined;
  #wanted: (page: PageRequest) => void = () => undefined;
  /** The service that the window is opened for. */
  openedFor: ServerId | null = null;

  constructor(current: Partial<Snapshot> = {}) {
    this.current = snapshot(current);
  }

  /** The calls of one verb, without its name. */
  asked(verb: Verb): unknown[][] {
    return this.calls.filter(([name]) => name === verb).map(([, ...args]) => args);
  }

  /** Makes a verb refuse, or never answer. */
  answer(verb: Verb, with_: Refusal | "never"): this {
    this.#answers.set(verb, () => (with_ === "never" ? new Promise(() => undefined) : Promise.reject(with_)));
    return this;
  }

  tell(event: Event): void {
    this.#listener(event);
  }

  replace(snapshot: Snapshot): void {
    this.#replaced(snapshot);
  }

  /** This desktop has other parts now. */
  changeDesktop(desktop: Partial<DesktopView>): void {
    this.info = { ...this.info, desktop: { ...this.info.desktop, ...desktop } };
    this.#desktop(this.info.desktop);
  }

  #asked<T>(verb: Verb, args: unknown[], value: T): Promise<T> {
    this.calls.push([verb, ...args.filter((arg) => arg !== undefined)]);
    return this.#answers.get(verb)?.() ?? Promise.resolve(value);
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
    if (this.openedFor !== null) this.want(this.openedFor);
  }

  /** The person clicked on the service in the tray. */
  want(server: ServerId, error: ErrorView | null = null): void {
    this.#wanted({ server, error });
  }

  snapshot = () => this.#asked("snapshot", [], this.current);
  catalogueList = () => this.#asked("catalogueList", [], this.entries);
  appInfo = () => this.#asked("appInfo", [], this.info);
  appRetry = () => this.#asked("appRetry", [], undefined);
  appReady = () => this.#asked("appReady", [], undefined);
  appPainted = () => this.#asked("appPainted", [], undefined);
  startLink = () => this.#asked("startLink", [], undefined);
  appearanceSet: Backend["appearanceSet"] = (...args) => this.#asked("appearanceSet", args, undefined);
  autostartSet: Backend["autostartSet"] = (...args) => this.#asked("autostartSet", args, undefined);
  serverAdd: Backend["serverAdd"] = (...args) => this.#asked("serverAdd", args, args[0].name ?? "added");
  serverRemove: Backend["serverRemove"] = (...args) => this.#asked("serverRemove", args, undefined);
  serverEnable: Backend["serverEnable"] = (...args) => this.#asked("serverEnable", args, undefined);
  serverDisable: Backend["serverDisable"] = (...args) => this.#asked("serverDisable", args, undefined);
  serverConnect: Backend["serverConnect"] = (...args) => this.#asked("serverConnect", args, undefined);
  serverDisconnect: Backend["serverDisconnect"] = (...args) =>
    this.#asked("serverDisconnect", args, undefined);
  serversPause = () => this.#asked("serversPause", [], undefined);
  serversResume = () => this.#asked("serversResume", [], undefined);
  demoAdd = () => this.#asked("demoAdd", [], "demo");
  serverSignIn: Backend["serverSignIn"] = (...args) => this.#asked("serverSignIn", args, undefined);
  serverSignInAgain: Backend["serverSignInAgain"] = (...args) =>
    this.#asked("serverSignInAgain", args, undefined);
  serverSignInAddress: Backend["serverSignInAddress"] = (...args) =>
    this.#asked("serverSignInAddress", args, "https://mcp.notion.com/authorize?state=1");
  serverNextRedirect: Backend["serverNextRedirect"] = (...args) =>
    this.#asked("serverNextRedirect", args, undefined);
  serverCancelSignIn: Backend["serverCancelSignIn"] = (...args) =>
    this.#asked("serverCancelSignIn", args, undefined);
  signInComplete: Backend["signInComplete"] = (...args) => this.#asked("signInComplete", args, "notion");
  serverSignOut: Backend["serverSignOut"] = (...args) => this.#asked("serverSignOut", args, undefined);
  serverDeclinePermission: Backend["serverDeclinePermission"] = (...args) =>
    this.#asked("serverDeclinePermission", args, undefined);
  serverTools: Backend["serverTools"] = (...args) => this.#asked("serverTools", args, this.tools);
  serverResources: Backend["serverResources"] = (...args) =>
    this.#asked("serverResources", args, this.resources);
  serverPrompts: Backend["serverPrompts"] = (...args) => this.#asked("serverPrompts", args, this.prompts);
  toolCall: Backend["toolCall"] = (...args) => this.#asked("toolCall", args, this.result);
  toolCancel: Backend["toolCancel"] = (...args) => this.#asked("toolCancel", args, undefined);
  elicitationAnswer: Backend["elicitationAnswer"] = (...args) =>
    this.#asked("elicitationAnswer", args, undefined);
  configOpen = () => this.#asked("configOpen", [], undefined);
  configCheck = () => this.#asked("configCheck", [], this.current.config);
  secretStoreRetry = () => this.#asked("secretStoreRetry", [], undefined);
  secretStoreChoose: Backend["secretStoreChoose"] = (...args) =>
    this.#asked("secretStoreChoose", args, undefined);
  linkOpen: Backend["linkOpen"] = (...args) => this.#asked("linkOpen", args, undefined);
}
