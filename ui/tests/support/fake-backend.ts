import { tauriBackend, type Backend } from "../../src/backend/backend";
import type {
  Closing,
  ConfigTextView,
  DesktopView,
  EntryCheckView,
  ErrorView,
  Event,
  OrphanView,
  PageRequest,
  ProbeView,
  PromptView,
  ResourceView,
  SecretsView,
  ServerId,
  Snapshot,
  ToolCallView,
  ToolView,
} from "../../src/backend/bindings";
import { BackendError } from "../../src/backend/error";
import { checkOf, commentsOf, entryView } from "./entries";
import { checkOfText, textView } from "./mcp-json";
import { secretList } from "./secrets";
import { catalogue, info, prompts, qrCode, resources, snapshot, tools } from "./views";

type Method = Exclude<keyof Backend, "subscribe" | "subscribeClose" | "subscribeDesktop" | "subscribePages">;
export type Call = [method: Method, ...args: unknown[]];

export interface FakeBackend extends Backend {}

/** A backend with scripted replies that records its calls. */
export class FakeBackend {
  readonly calls: Call[] = [];
  current: Snapshot;
  tools: ToolView[] = tools;
  resources: ResourceView[] = resources;
  prompts: PromptView[] = prompts;
  log: string[] = [];
  result: ToolCallView = { is_error: false, content: [{ kind: "text", text: "Done." }], structured: null };
  info = info;
  entry = entryView();
  /** Changes the replies to checks of entries. */
  check = (check: EntryCheckView): EntryCheckView => check;
  /** The result of the probe of a new entry's address. */
  probe: ProbeView = { kind: "sign_in" };
  orphansLeft: OrphanView[] = [];
  secretList: SecretsView = secretList();
  /** The file `mcp.json`. */
  file: ConfigTextView = textView();
  /** The responses that replace the value of a method. Each gets a function that returns this value. */
  #responses = new Map<Method, (value: () => unknown) => Promise<unknown>>();
  #onEvent: (event: Event) => void = () => undefined;
  #onDesktop: (desktop: DesktopView) => void = () => undefined;
  #onReplaced: (snapshot: Snapshot) => void = () => undefined;
  #onPage: (page: PageRequest) => void = () => undefined;
  #onClose: (closing: Closing) => void = () => undefined;
  /** The service whose page is requested when the window opens. */
  initialPage: ServerId | null = null;

  /** The values that methods resolve to. The other methods resolve to `undefined`. */
  readonly #values: { [M in Method]?: (...args: Parameters<Backend[M]>) => Awaited<ReturnType<Backend[M]>> } =
    {
      snapshot: () => this.current,
      catalogueList: () => catalogue,
      appInfo: () => this.info,
      serverAdd: ({ name }) => name ?? "added",
      entryCheck: (text, _choice, name) => this.check(checkOf(text, name)),
      entryCheckReplacement: (id, text) => this.check(checkOf(text, id)),
      entryMerge: (text, changed) => `${commentsOf(text)}${changed}`,
      entryProbe: () => this.probe,
      entryRead: () => this.entry,
      entryAdd: ({ name }) => name ?? "added",
      demoAdd: () => "demo",
      serverSignInAddress: () => "https://mcp.notion.com/authorize?state=1",
      serverSignInQrCode: () => qrCode,
      signInComplete: () => "notion",
      serverTools: () => this.tools,
      serverResources: () => this.resources,
      serverPrompts: () => this.prompts,
      serverLog: () => this.log,
      toolCall: () => this.result,
      orphans: () => this.orphansLeft,
      secrets: () => this.secretList,
      configCheck: () => this.current.config,
      configTextRead: () => this.file,
      configTextCheck: checkOfText,
      configTextSave: (text, version) => {
        if (version !== this.file.version) return { kind: "changed", file: this.file };
        this.file = textView(text);
        return { kind: "saved", file: this.file };
      },
    };

  constructor(current: Partial<Snapshot> = {}) {
    this.current = snapshot(current);
    for (const method of Object.keys(tauriBackend) as Method[])
      if (!(method in this)) Object.assign(this, { [method]: this.#recorder(method) });
  }

  #recorder(method: Method) {
    return (...args: unknown[]): Promise<unknown> => {
      this.calls.push([method, ...args.filter((arg) => arg !== undefined)]);
      const values = this.#values[method] as ((...args: unknown[]) => unknown) | undefined;
      const value = () => values?.(...args);
      return this.#responses.get(method)?.(value) ?? Promise.resolve(value());
    };
  }

  /** The arguments of each call of one method. */
  callsOf(method: Method): unknown[][] {
    return this.calls.filter(([name]) => name === method).map(([, ...args]) => args);
  }

  /** Makes a method fail. */
  fail(method: Method, error: ErrorView): this {
    this.#responses.set(method, () => Promise.reject(new BackendError(error)));
    return this;
  }

  /** Makes a method succeed again. */
  restore(method: Method): void {
    this.#responses.delete(method);
  }

  /** Delays the replies of a method until the returned function is called. */
  hold(method: Method): () => void {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const before = this.#responses.get(method);
    this.#responses.set(method, async (value) => {
      await released;
      return before ? before(value) : value();
    });
    return () => release();
  }

  /** Makes a method never resolve. */
  hang(method: Method): this {
    this.#responses.set(method, () => new Promise(() => undefined));
    return this;
  }

  emit(event: Event): void {
    this.#onEvent(event);
  }

  replace(snapshot: Snapshot): void {
    this.#onReplaced(snapshot);
  }

  /** Changes parts of the desktop and reports the change. */
  changeDesktop(desktop: Partial<DesktopView>): void {
    this.info = { ...this.info, desktop: { ...this.info.desktop, ...desktop } };
    this.#onDesktop(this.info.desktop);
  }

  /** Requests a service's page, as a click in the tray does. */
  requestPage(server: ServerId, error: ErrorView | null = null, more: Partial<PageRequest> = {}): void {
    this.#onPage({ server, error, question: null, after_sign_in: false, ...more });
  }

  async subscribe(
    listener: (event: Event) => void,
    replaced: (snapshot: Snapshot) => void,
  ): Promise<() => void> {
    this.#onEvent = listener;
    this.#onReplaced = replaced;
    return () => (this.#onEvent = () => undefined);
  }

  async subscribeDesktop(listener: (desktop: DesktopView) => void): Promise<() => void> {
    this.#onDesktop = listener;
    return () => (this.#onDesktop = () => undefined);
  }

  /** Asks to close the window or to quit, as the app's Rust side does if the page keeps a text. */
  requestClose(closing: Closing): void {
    this.#onClose(closing);
  }

  async subscribeClose(listener: (closing: Closing) => void): Promise<() => void> {
    this.#onClose = listener;
    return () => (this.#onClose = () => undefined);
  }

  async subscribePages(listener: (page: PageRequest) => void): Promise<void> {
    this.#onPage = listener;
    if (this.initialPage !== null) this.requestPage(this.initialPage);
  }
}
