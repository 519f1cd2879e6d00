import type { Backend } from "../backend/backend";
import { errorView } from "../backend/error";
import type { EntryDraftView, ErrorView, ProbeView } from "../backend/bindings";

/** The probe of a new entry's address. */
export class EntryProbe {
  #address = $state<string | null>(null);
  #reply = $state.raw<ProbeView | null>(null);
  #asking: Promise<void> = Promise.resolve();

  constructor(private readonly backend: Backend) {}

  /** Asks, once for each address. Resolves when there is a reply. A program has no address. */
  ask(draft: EntryDraftView): Promise<void> {
    if (draft.launch || this.#address === draft.address) return this.#asking;
    const { address } = draft;
    this.#address = address;
    this.#reply = null;
    this.#asking = this.backend
      .entryProbe(draft.entry)
      .catch((thrown: unknown): ProbeView => ({ kind: "failed", error: errorView(thrown) }))
      .then((reply) => {
        // A late reply about an earlier address is ignored.
        if (this.#address === address) this.#reply = reply;
      });
    return this.#asking;
  }

  /** The reply about this entry's address; `null` before it was asked, `"asking"` until there is a reply. */
  reply(draft: EntryDraftView): ProbeView | "asking" | null {
    if (draft.launch || this.#address !== draft.address) return null;
    return this.#reply ?? "asking";
  }

  /** The error if nothing answers at this entry's address. */
  failure(draft: EntryDraftView): ErrorView | null {
    const reply = this.reply(draft);
    return reply !== null && reply !== "asking" && reply.kind === "failed" ? reply.error : null;
  }
}
