import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Question } from "../../src/lib/markdown/parser";
import { ParserThread } from "../../src/lib/markdown/parser-thread";

/** A worker that answers with the text, or never if the text is "hang". */
class ScriptedWorker {
  onmessage: ((event: MessageEvent) => void) | null = null;
  onerror: (() => void) | null = null;
  isTerminated = false;
  readonly texts: string[] = [];

  postMessage({ text }: Question): void {
    this.texts.push(text);
    if (text === "crash") queueMicrotask(() => this.onerror?.());
    else if (text !== "hang")
      queueMicrotask(() => this.onmessage?.(new MessageEvent("message", { data: `<p>${text}` })));
  }

  terminate(): void {
    this.isTerminated = true;
  }
}

const question = (text: string): Question => ({ text, source: "description" });
const needed = new AbortController().signal;

describe("the parser's thread", () => {
  const workers: ScriptedWorker[] = [];
  const thread = () =>
    new ParserThread(() => {
      const worker = new ScriptedWorker();
      workers.push(worker);
      return worker as unknown as Worker;
    }, 1_000);

  beforeEach(() => {
    workers.length = 0;
    vi.useFakeTimers();
  });

  afterEach(() => vi.useRealTimers());

  it("uses one worker for all texts", async () => {
    const parser = thread();
    const answers = ["a", "b"].map((text) => parser.ask(question(text), needed));
    expect(await Promise.all(answers)).toEqual(["<p>a", "<p>b"]);
    expect(workers.map(({ texts }) => texts)).toEqual([["a", "b"]]);
  });

  it("gives up a text at its deadline, and parses the next one with another worker", async () => {
    const parser = thread();
    const answers = ["hang", "next"].map((text) => parser.ask(question(text), needed));
    await vi.advanceTimersByTimeAsync(999);
    expect(workers.map(({ isTerminated }) => isTerminated)).toEqual([false]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await Promise.all(answers)).toEqual([null, "<p>next"]);
    expect(workers.map(({ isTerminated }) => isTerminated)).toEqual([true, false]);
  });

  it("gives up a text that is no longer needed", async () => {
    const parser = thread();
    const closed = new AbortController();
    const answers = ["hang", "skipped"].map((text) => parser.ask(question(text), closed.signal));
    const next = parser.ask(question("next"), needed);
    await vi.advanceTimersByTimeAsync(0);
    closed.abort();
    expect(await Promise.all([...answers, next])).toEqual([null, null, "<p>next"]);
    expect(workers.map(({ texts }) => texts)).toEqual([["hang"], ["next"]]);
  });

  it("shows plain text if the worker fails, or does not start", async () => {
    const parser = thread();
    expect(await parser.ask(question("crash"), needed)).toBeNull();
    expect(await parser.ask(question("next"), needed)).toBe("<p>next");
    const forbidden = new ParserThread(() => {
      throw new Error("not allowed");
    });
    expect(await forbidden.ask(question("a"), needed)).toBeNull();
  });
});
