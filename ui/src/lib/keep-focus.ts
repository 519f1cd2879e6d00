import type { Attachment } from "svelte/attachments";

/**
 * Keeps the keyboard focus while the page changes. A button that was disabled during its command gets the focus back.
 * If the focused element is removed and nothing else has the focus, the pane gets the focus, so that the next Tab does
 * not start at the window's top.
 */
export const keepFocus: Attachment<HTMLElement> = (pane) => {
  const page = pane.ownerDocument;
  let last: HTMLElement | null = null;

  function onfocusin({ target }: FocusEvent): void {
    last = target as HTMLElement;
  }

  /** Forgets the element if it is still focusable, because the person then moved the focus away. */
  function onfocusout(): void {
    const blurred = last;
    queueMicrotask(() => {
      if (blurred === last && blurred && isFocusable(blurred)) last = null;
    });
  }

  const observer = new MutationObserver(() => {
    if (last === null || page.activeElement !== page.body) return;
    if (isFocusable(last)) last.focus({ preventScroll: true });
    else if (!last.isConnected) pane.focus({ preventScroll: true });
  });

  observer.observe(page.body, { childList: true, subtree: true, attributeFilter: ["disabled"] });
  page.addEventListener("focusin", onfocusin);
  page.addEventListener("focusout", onfocusout);
  return () => {
    observer.disconnect();
    page.removeEventListener("focusin", onfocusin);
    page.removeEventListener("focusout", onfocusout);
  };
};

function isFocusable(element: HTMLElement): boolean {
  return element.isConnected && !element.matches(":disabled");
}
