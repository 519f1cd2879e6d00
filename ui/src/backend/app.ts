import { commands, events } from "./bindings";
import { done, unwrap } from "./ipc";
import type { AppInfo, Appearance, CatalogueEntry, DesktopView, PageRequest } from "./types";

/** The app around the page: its start, the desktop, the catalogue, the browser. */
export interface AppBackend {
  appInfo(): Promise<AppInfo>;
  /** Starts the engine again after it failed to start. */
  appRetry(): Promise<void>;
  /** Reports that the first screen is in the document, so the window may be shown. */
  appReady(): Promise<void>;
  /** Reports that the first usable screen was painted. */
  appPainted(): Promise<void>;
  /** Rejects if the link that opened the app belongs to no pending sign-in. May take a moment. */
  startLink(): Promise<void>;
  appearanceSet(appearance: Appearance): Promise<void>;
  autostartSet(enabled: boolean): Promise<void>;
  /** Resolves once it is listening for changes; `appInfo` has the current desktop. */
  subscribeDesktop(listener: (desktop: DesktopView) => void): Promise<() => void>;
  /**
   * Reports the service pages that the person opens outside the window (tray, notifications), until the window closes.
   * A page that was requested earlier is reported before the promise resolves.
   */
  subscribeWanted(listener: (page: PageRequest) => void): Promise<void>;
  catalogueList(): Promise<CatalogueEntry[]>;
  /** Opens a page in the browser after a click. The shell checks the address again. */
  linkOpen(url: string): Promise<void>;
}

export const app: AppBackend = {
  appInfo: () => unwrap(commands.appInfo()),
  appRetry: () => done(commands.appRetry()),
  appReady: () => done(commands.appReady()),
  appPainted: () => done(commands.appPainted()),
  startLink: () => done(commands.startLink()),
  appearanceSet: (appearance) => done(commands.appearanceSet(appearance)),
  autostartSet: (enabled) => done(commands.autostartSet(enabled)),
  subscribeDesktop: (listener) => events.desktopChanged.listen(({ payload }) => listener(payload)),
  async subscribeWanted(listener) {
    // The event carries no page: each page is taken once, even if it was requested while the window was starting.
    const take = async () => {
      const page = await unwrap(commands.pageRequestTake());
      if (page !== null) listener(page);
    };
    await events.pageRequested.listen(() => void take().catch(() => undefined));
    await take();
  },
  catalogueList: () => unwrap(commands.catalogueList()),
  linkOpen: (url) => done(commands.linkOpen(url)),
};
