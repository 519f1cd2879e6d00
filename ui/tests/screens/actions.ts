import { EditorView } from "@codemirror/view";

export type Actions = typeof actions;

/** The actions of a person, on elements found by their `data-testid`. */
export const actions = {
  /** Waits until the element exists, and returns it. */
  async find(testid: string): Promise<HTMLElement> {
    const deadline = Date.now() + 45_000;
    while (Date.now() < deadline) {
      const element = document.querySelector<HTMLElement>(`[data-testid="${testid}"]`);
      if (element) return element;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`no element with the test id “${testid}”`);
  },
  async press(testid: string): Promise<void> {
    const element = await actions.find(testid);
    element.focus();
    element.click();
  },
  async type(testid: string, text: string): Promise<void> {
    const field = (await actions.find(testid)) as HTMLInputElement;
    field.focus();
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((resolve) => setTimeout(resolve, 20));
  },
  /** Replaces the text of the code editor in an element. */
  async edit(testid: string, change: (text: string) => string): Promise<void> {
    const view = EditorView.findFromDOM(await actions.find(testid));
    if (!view) throw new Error(`no editor in “${testid}”`);
    const text = view.state.doc.toString();
    view.dispatch({ changes: { from: 0, to: text.length, insert: change(text) } });
  },
  /** Opens a `details` element. */
  async unfold(testid: string): Promise<void> {
    (await actions.find(testid)).toggleAttribute("open", true);
  },
};
