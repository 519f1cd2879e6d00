import type { Backend } from "../backend/backend";
import type { DesktopView } from "../backend/types";

/** The desktop's parts: tray, notifications, start at login. */
export class Desktop {
  #view = $state.raw<DesktopView | null>(null);
  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  get view(): DesktopView | null {
    return this.#view;
  }

  /** Sets the view from the window's start, unless a newer one is known. */
  load(view: DesktopView): void {
    this.#view ??= view;
  }

  /** Follows changes until the returned function is called. */
  watch(): () => void {
    let stop: (() => void) | undefined;
    let isOver = false;
    let hasChanged = false;
    const onchange = (view: DesktopView) => {
      hasChanged = true;
      this.#view = view;
    };
    // Subscribe first, then load: the view from the window's start may be out of date.
    void this.#backend
      .subscribeDesktop(onchange)
      .then(async (unsubscribe) => {
        if (isOver) return unsubscribe();
        stop = unsubscribe;
        const { desktop } = await this.#backend.appInfo();
        if (!hasChanged) this.#view = desktop;
      })
      .catch(() => undefined);
    return () => {
      isOver = true;
      stop?.();
    };
  }
}
