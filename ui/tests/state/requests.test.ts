import { describe, expect, it } from "vitest";

import { FakeBackend } from "../support/fake-backend";
import { started } from "../support/usher";
import { elicitation, error, server, tool } from "../support/views";

describe("elicitations", () => {
  it("are answered one at a time", async () => {
    const [first, second] = [elicitation({ id: "q1" }), elicitation({ id: "q2" })];
    const { requests, usher } = await started(new FakeBackend({ elicitations: [first, second] }));
    expect(requests.elicitation).toEqual(first);
    usher.engine.receive({ event: "elicitation_ended", revision: 11, id: "q1" });
    expect(requests.elicitation).toEqual(second);
  });

  it("keep their own errors", async () => {
    const { requests, backend } = await started();
    const view = error("internal", "It failed.");
    backend.fail("elicitationAnswer", view);
    await requests.answer(elicitation({ id: "q1" }), "accept", "{}");
    expect([requests.error(elicitation({ id: "q1" })), requests.error(elicitation({ id: "q2" }))]).toEqual([
      view,
      null,
    ]);
  });

  it("are accepted only after their page was opened", async () => {
    const page = elicitation({ id: "q1", schema: null, url: "https://example.com" });
    const { requests, backend } = await started();
    await requests.openPage(page, "https://example.com");
    expect(backend.calls.slice(-2)).toEqual([
      ["linkOpen", "https://example.com"],
      ["elicitationAnswer", "q1", "accept", null],
    ]);
    backend.fail("linkOpen", error("internal", "It failed."));
    await requests.openPage(page, "https://example.com");
    expect(backend.callsOf("elicitationAnswer")).toHaveLength(1);
  });
});

describe("a page request from the desktop", () => {
  it("opens the service's page, and replaces the notice", async () => {
    const servers = [server(), server({ id: "linear" })];
    const { usher, backend, requests } = await started(new FakeBackend({ servers }));
    const view = error("internal", "Could not open the browser.");
    backend.requestPage("linear", view);
    expect([usher.navigation.page, requests.notice]).toEqual([{ kind: "service", id: "linear" }, view]);
    backend.requestPage("notion");
    expect([usher.navigation.page, requests.notice]).toEqual([{ kind: "service", id: "notion" }, null]);
  });
});

describe("a page request after a sign-in", () => {
  const servers = [server(), server({ id: "linear", name: "Linear" })];

  it("opens the service's page, and the errors of the page that is left are cleared", async () => {
    const { usher, backend, requests } = await started(new FakeBackend({ servers }));
    backend.fail("serverDeclinePermission", error("internal", "It failed."));
    await requests.declinePermission("notion");
    await requests.declinePermission("linear");
    backend.requestPage("notion", error("internal", "Could not open the browser."));
    backend.requestPage("linear", null, { after_sign_in: true });
    expect(usher.navigation.page).toEqual({ kind: "service", id: "linear" });
    expect([usher.commands.error("notion"), requests.notice, requests.arrived]).toEqual([
      null,
      null,
      undefined,
    ]);
    expect(usher.commands.error("linear")).not.toBeNull();
  });

  it("does not replace a form, and is offered until it is shown", async () => {
    const { usher, backend, requests } = await started(new FakeBackend({ servers }));
    const { navigation } = usher;
    navigation.openDialog({ kind: "tool", item: tool() });
    backend.requestPage("linear", null, { after_sign_in: true });
    expect([navigation.page, navigation.dialog?.kind]).toEqual([{ kind: "service", id: "notion" }, "tool"]);
    expect(requests.arrived?.id).toBe("linear");
    navigation.go({ kind: "service", id: "linear" });
    expect([requests.arrived, navigation.dialog]).toEqual([undefined, null]);
  });
});

describe("the link that opened the app", () => {
  it("shows a notice if it could not be used", async () => {
    const view = error("authorization_expired", "This link belongs to no sign-in.");
    const backend = new FakeBackend().fail("startLink", view);
    expect((await started(backend)).requests.notice).toEqual(view);
  });
});

describe("a permission request", () => {
  it("is declined for its service", async () => {
    const { requests, backend, usher } = await started();
    const view = error("internal", "It failed.");
    backend.fail("serverDeclinePermission", view);
    await requests.declinePermission("notion");
    expect(backend.callsOf("serverDeclinePermission")).toEqual([["notion"]]);
    expect(usher.commands.error("notion")).toEqual(view);
  });
});
