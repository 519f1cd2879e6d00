import type { NextAction } from "../lib/next-action";
import { m } from "../paraglide/messages";

/** The label of an action's button, for the service of this name. */
export function actionWord(action: NextAction, name: string): string {
  switch (action) {
    case "enable":
      return m.turn_on();
    case "resume_all":
      return m.resume_all();
    case "connect":
    case "retry_store":
      return m.try_now();
    case "stop":
      return m.stop();
    case "sign_in":
      return m.sign_in_to({ name });
    case "sign_in_again":
      return m.sign_in_again();
    case "grant_access":
      return m.grant_access();
    case "sign_out":
      return m.sign_out();
    case "disconnect":
      return m.disconnect();
    case "open_config":
      return m.config_open();
    case "enter_client":
      return m.enter_client();
    case "show_details":
      return m.show_details();
    case "copy_details":
      return m.copy_details();
  }
}
