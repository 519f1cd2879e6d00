/** The milliseconds that a search may block the window at a time: half of a frame. */
const SLICE = 8;
/** Items between two looks at the clock. */
const STRIDE = 64;
/** Characters of an item that are searched. */
const TEXT_LENGTH = 800;
const MAX_WORDS = 10;

/** Splits a query into its words. */
export function wordsOf(query: string): string[] {
  return query.trim().toLowerCase().split(/\s+/).filter(Boolean).slice(0, MAX_WORDS);
}

/** Searches the items of a list by words. The text of an item is made once, at the first search. */
export class Search<Item> {
  readonly #texts: string[] = [];

  constructor(
    private readonly items: readonly Item[],
    /** The texts of an item, the most important ones first. */
    private readonly textsOf: (item: Item) => (string | null | undefined)[],
  ) {}

  /**
   * Passes the items that contain all words of the query to `onfound`. A short list is searched before this returns; a
   * long one in slices, so that the window stays usable. The returned function stops the search.
   */
  find(query: string, onfound: (items: readonly Item[]) => void): () => void {
    const words = wordsOf(query);
    const found: Item[] = [];
    let next = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const searchOn = () => {
      const end = performance.now() + SLICE;
      while (next < this.items.length) {
        const item = this.items[next] as Item;
        const text = (this.#texts[next] ??= this.#textOf(item));
        if (words.every((word) => text.includes(word))) found.push(item);
        next += 1;
        if (next % STRIDE === 0 && performance.now() > end) {
          timer = setTimeout(searchOn);
          return;
        }
      }
      onfound(found);
    };
    if (words.length === 0) onfound(this.items);
    else searchOn();
    return () => clearTimeout(timer);
  }

  #textOf(item: Item): string {
    // Each text is cut before it is joined, because each of them may be very long.
    const texts = this.textsOf(item).map((text) => text?.slice(0, TEXT_LENGTH));
    return texts.join("\n").slice(0, TEXT_LENGTH).toLowerCase();
  }
}
