import type { Backend } from "../backend/backend";
import type { AppInfo, Appearance } from "../backend/bindings";

/** The app's version, paths and appearance, and the features that the desktop supports. */
export class App {
  info = $state.raw<AppInfo | null>(null);

  constructor(private readonly backend: Backend) {}

  async load(): Promise<void> {
    this.info = await this.backend.appInfo().catch(() => null);
  }

  /** Sets the appearance. The app's Rust side stores it and sets the window's theme. */
  async chooseAppearance(appearance: Appearance): Promise<void> {
    const before = this.info?.appearance;
    this.#change({ appearance });
    try {
      await this.backend.appearanceSet(appearance);
    } catch (thrown) {
      this.#change({ appearance: before });
      throw thrown;
    }
  }

  /** Follows changes of the desktop until the returned function is called. */
  watchDesktop(): () => void {
    let hasChanged = false;
    const subscribed = this.backend.subscribeDesktop((desktop) => {
      hasChanged = true;
      this.#change({ desktop });
    });
    // Subscribe first, then load: the info from the window's start may be out of date.
    void subscribed
      .then(() => this.backend.appInfo())
      .then(({ desktop }) => !hasChanged && this.#change({ desktop }))
      .catch(() => undefined);
    return () => void subscribed.then((stop) => stop()).catch(() => undefined);
  }

  #change(change: Partial<AppInfo>): void {
    if (this.info) this.info = { ...this.info, ...change };
  }
}
