/** The actions of a person, on elements found by their `data-testid`. */
export type Actions = {
  press: (testid: string) => Promise<void>;
  type: (testid: string, text: string) => Promise<void>;
  /** Waits until the element exists, and returns it. */
  find: (testid: string) => Promise<HTMLElement>;
};

export function actionsOn(document: Document): Actions {
  const actions: Actions = {
    async find(testid) {
      const deadline = Date.now() + 45_000;
      while (Date.now() < deadline) {
        const element = document.querySelector<HTMLElement>(`[data-testid="${testid}"]`);
        if (element) return element;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      throw new Error(`no element with the test id “${testid}”`);
    },
    async press(testid) {
      const element = await actions.find(testid);
      element.focus();
      element.click();
    },
    async type(testid, text) {
      const field = (await actions.find(testid)) as HTMLInputElement;
      field.focus();
      field.value = text;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      await new Promise((resolve) => setTimeout(resolve, 20));
    },
  };
  return actions;
}
