import type { AppInfo } from "../backend/bindings";
import { m } from "../paraglide/messages";

/** The next step on this system when the keychain cannot be used. */
export function keychainHelp(platform: AppInfo["platform"], isLocked: boolean): string {
  switch (platform) {
    case "linux":
      return isLocked ? m.store_help_linux_locked() : m.store_help_linux_unavailable();
    case "macos":
      return m.store_help_macos();
    case "windows":
      return m.store_help_windows();
  }
}
