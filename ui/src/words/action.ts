import type { NextAction } from "../lib/next-action";
import { m } from "../paraglide/messages";

/** The labels of the actions' buttons, for a service of a given name. */
export const ACTION_WORDS: Record<NextAction, (service: { name: string }) => string> = {
  enable: m.turn_on,
  resume_all: m.resume_all,
  connect: m.try_now,
  stop: m.stop,
  sign_in: m.sign_in_to,
  sign_in_again: m.sign_in_again,
  grant_access: m.grant_access,
  confirm_endpoints: m.confirm_endpoints,
  sign_out: m.sign_out,
  disconnect: m.disconnect,
  open_config: m.config_open,
  enter_client: m.enter_client,
  show_details: m.show_details,
  copy_details: m.copy_details,
  retry_store: m.try_now,
};
