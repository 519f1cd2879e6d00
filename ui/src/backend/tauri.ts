import { Refusal, type Backend } from "./backend";
import { commands, events } from "./bindings";
import type { ErrorView } from "./types";

type Answer<T> = { status: "ok"; data: T } | { status: "error"; error: ErrorView };

async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  const settled = await answer.catch((thrown: unknown): Answer<T> => ({
    status: "error",
    error: asView(thrown),
  }));
  if (settled.status === "ok") return settled.data;
  throw new Refusal(asView(settled.error));
}

/** The framework itself refuses with a plain string, whatever the types say. */
function asView(error: unknown): ErrorView {
  if (typeof error === "object" && error !== null && "code" in error) return error as ErrorView;
  return { code: "internal", message: String(error), hint: null, details: null };
}

async function done(answer: Promise<Answer<unknown>>): Promise<void> {
  await unwrap(answer);
}

/** The shell, over Tauri's IPC. */
export const tauriBackend: Backend = {
  async subscribe(listener, replaced) {
    const stops = await Promise.all([
      events.engineEvent.listen(({ payload }) => listener(payload)),
      events.snapshotTaken.listen(({ payload }) => replaced(payload)),
    ]);
    return () => stops.forEach((stop) => stop());
  },
  subscribeDesktop: (listener) => events.desktopChanged.listen(({ payload }) => listener(payload)),
  async subscribeWanted(listener) {
    // The event only says that there is something to take, so that nothing is lost or done twice around the start.
    const take = async () => {
      const page = await unwrap(commands.pageRequestTake());
      if (page !== null) listener(page);
    };
    await events.pageRequested.listen(() => void take().catch(() => undefined));
    await take();
  },
  snapshot: () => unwrap(commands.snapshot()),
  catalogueList: () => unwrap(commands.catalogueList()),
  appInfo: () => unwrap(commands.appInfo()),
  appRetry: () => done(commands.appRetry()),
  appReady: () => done(commands.appReady()),
  appPainted: () => done(commands.appPainted()),
  startLink: () => done(commands.startLink()),
  appearanceSet: (appearance) => done(commands.appearanceSet(appearance)),
  autostartSet: (enabled) => done(commands.autostartSet(enabled)),
  serverAdd: (server) => unwrap(commands.serverAdd(server)),
  serverRemove: (id) => done(commands.serverRemove(id)),
  serverEnable: (id) => done(commands.serverEnable(id)),
  serverDisable: (id) => done(commands.serverDisable(id)),
  serverConnect: (id) => done(commands.serverConnect(id)),
  serverDisconnect: (id) => done(commands.serverDisconnect(id)),
  serversPause: () => done(commands.serversPause()),
  serversResume: () => done(commands.serversResume()),
  demoAdd: () => unwrap(commands.demoAdd()),
  serverSignIn: (id, redirect, client) => done(commands.serverSignIn(id, redirect ?? null, client ?? null)),
  serverSignInAgain: (id) => done(commands.serverSignInAgain(id)),
  serverSignInAddress: (id) => unwrap(commands.serverSignInAddress(id)),
  serverNextRedirect: (id) => done(commands.serverNextRedirect(id)),
  serverCancelSignIn: (id) => done(commands.serverCancelSignIn(id)),
  signInComplete: (address) => unwrap(commands.signInComplete(address)),
  serverSignOut: (id) => done(commands.serverSignOut(id)),
  serverDeclinePermission: (id) => done(commands.serverDeclinePermission(id)),
  serverTools: (id) => unwrap(commands.serverTools(id)),
  serverResources: (id) => unwrap(commands.serverResources(id)),
  serverPrompts: (id) => unwrap(commands.serverPrompts(id)),
  toolCall: (id, name, argumentsJson, call) => unwrap(commands.toolCall(id, name, argumentsJson, call)),
  toolCancel: (call) => done(commands.toolCancel(call)),
  elicitationAnswer: (id, answer, contentJson) => done(commands.elicitationAnswer(id, answer, contentJson)),
  configOpen: () => done(commands.configOpen()),
  configCheck: () => unwrap(commands.configCheck()),
  secretStoreRetry: () => done(commands.secretStoreRetry()),
  secretStoreChoose: (choice) => done(commands.secretStoreChoose(choice)),
  linkOpen: (url) => done(commands.linkOpen(url)),
};
