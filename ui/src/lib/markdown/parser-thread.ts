import type { Answer, Question } from "./parser";

/** The milliseconds for one text, with the start of the worker. An honest text takes a few. */
const DEADLINE = 3_000;

function startWorker(): Worker {
  return new Worker(new URL("./parser.worker.ts", import.meta.url), { type: "module" });
}

/** Parses markdown in a worker, one text after another. A text that takes too long is given up, with the worker. */
export class ParserThread {
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly start: () => Worker = startWorker,
    private readonly deadline: number = DEADLINE,
  ) {}

  /** Returns the text as HTML, or `null` if it is shown as plain text, took too long or is no longer needed. */
  ask(question: Question, signal: AbortSignal): Promise<Answer> {
    const answer = this.#last.then(() => this.#parse(question, signal)).catch(() => null);
    this.#last = answer;
    return answer;
  }

  #parse(question: Question, signal: AbortSignal): Promise<Answer> {
    if (signal.aborted) return Promise.resolve(null);
    const worker = (this.#worker ??= this.start());
    return new Promise((resolve) => {
      const giveUp = () => {
        worker.terminate();
        this.#worker = undefined;
        answer(null);
      };
      const timer = setTimeout(giveUp, this.deadline);
      const answer = (html: Answer) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", giveUp);
        resolve(html);
      };
      worker.onmessage = ({ data }: MessageEvent<Answer>) => answer(data);
      worker.onerror = giveUp;
      signal.addEventListener("abort", giveUp);
      worker.postMessage(question);
    });
  }
}
