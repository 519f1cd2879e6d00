import type { Attachment } from "svelte/attachments";

/**
 * Keeps the keyboard's place while the window changes under it. A button that was only disabled for as long as its
 * work took gets the focus back; where what had it is gone, and nobody else took it, the pane does, so that the next
 * Tab goes on there and not at the window's beginning.
 */
export const keepFocus: Attachment<HTMLElement> = (pane) => {
  const page = pane.ownerDocument;
  let last: HTMLElement | null = null;

  function onfocusin({ target }: FocusEvent): void {
    last = target as HTMLElement;
  }

  /** Whoever leaves a thing that is still there means to. Whether it is still there shows after the event. */
  function onfocusout(): void {
    const left = last;
    queueMicrotask(() => {
      if (left === last && left && isThere(left)) last = null;
    });
  }

  const observer = new MutationObserver(() => {
    if (last === null || page.activeElement !== page.body) return;
    if (isThere(last)) last.focus({ preventScroll: true });
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

function isThere(element: HTMLElement): boolean {
  return element.isConnected && !element.matches(":disabled");
}
