import { m } from "../paraglide/messages";
import { MAX_NAME, shortened } from "./plain-text";

/** The title of a tool, resource or prompt, or its name if it has none. Some broken ones have neither. */
export function offerTitle({ title, name }: { title: string | null; name: string }): string {
  return shortened(title?.trim() || name.trim() || m.offer_unnamed(), MAX_NAME);
}
