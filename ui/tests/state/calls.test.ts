import { describe, expect, it } from "vitest";

import type { ToolCallView } from "../../src/backend/bindings";
import { FakeBackend } from "../support/fake-backend";
import { started } from "../support/usher";
import { error } from "../support/views";

describe("a tool's call", () => {
  it("has progress while it runs, and then its result", async () => {
    const { backend, engine, calls } = await started();
    let finish: (result: ToolCallView) => void = () => undefined;
    backend.toolCall = () => new Promise((resolve) => (finish = resolve));
    const running = calls.run("notion", "search", "{}");
    const call = calls.last("notion", "search");
    if (!call) throw new Error("no call");
    const progress = { progress: 1, total: 2, message: "half" };
    backend.emit({ event: "call_progressed", revision: 11, call: call.id, ...progress });
    expect([call.isRunning, calls.progress(call)]).toEqual([true, expect.objectContaining(progress)]);
    finish(backend.result);
    await running;
    expect([call.isRunning, call.outcome, engine.progress.size]).toEqual([
      false,
      { kind: "result", result: backend.result },
      0,
    ]);
  });

  it("ends with its error", async () => {
    const view = error("insufficient_scope", "More permissions are needed.");
    const { calls } = await started(new FakeBackend().fail("toolCall", view));
    await calls.run("notion", "search", "{}");
    expect(calls.last("notion", "search")?.outcome).toEqual({ kind: "error", error: view });
  });

  it("runs once at a time, independently of other tools", async () => {
    const { backend, calls } = await started();
    await Promise.all([
      calls.run("notion", "search", "1"),
      calls.run("notion", "search", "2"),
      calls.run("notion", "read", "3"),
    ]);
    await calls.run("notion", "search", "4");
    expect(backend.callsOf("toolCall").map(([, name, json]) => [name, json])).toEqual([
      ["search", "1"],
      ["read", "3"],
      ["search", "4"],
    ]);
  });

  it("can be cancelled again if the cancel failed", async () => {
    const { backend, calls } = await started(new FakeBackend().hang("toolCall"));
    void calls.run("notion", "search", "{}");
    const call = calls.last("notion", "search");
    if (!call) throw new Error("no call");
    backend.fail("toolCancel", error("internal", "It failed."));
    await calls.cancel(call);
    expect([backend.callsOf("toolCancel"), call.isCancelling]).toEqual([[[call.id]], false]);
  });

  it("is removed when it is discarded, and cancelled if it is still running", async () => {
    const { backend, calls } = await started();
    await calls.run("notion", "search", "{}");
    calls.discard("notion", "search");
    expect([calls.last("notion", "search"), backend.callsOf("toolCancel")]).toEqual([null, []]);
    backend.hang("toolCall");
    void calls.run("notion", "search", "{}");
    calls.discard("notion", "search");
    expect([calls.last("notion", "search"), backend.callsOf("toolCancel").length]).toEqual([null, 1]);
  });
});
