import { StyleModule } from "style-mod";

const mountInline = StyleModule.mount.bind(StyleModule);
let sheet: CSSStyleSheet | null = null;
/** The rules in their order: those of later modules take precedence. */
let mounted: StyleModule[] = [];

/**
 * Makes CodeMirror add its styles as an adopted style sheet. It would add them as an inline `style` element, which the
 * content security policy forbids.
 */
export function adoptStyles(): void {
  if (typeof CSSStyleSheet === "undefined" || !("replaceSync" in CSSStyleSheet.prototype)) return;
  StyleModule.mount = (root, modules, options) => {
    if (root !== document) return mountInline(root, modules, options);
    const wanted = Array.isArray(modules) ? modules : [modules];
    const others = mounted.filter((module) => !wanted.includes(module));
    if (sheet === null) {
      sheet = new CSSStyleSheet();
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    } else if (others.length + wanted.length === mounted.length) {
      return;
    }
    mounted = [...others, ...wanted];
    sheet.replaceSync(mounted.map((module) => module.getRules()).join("\n"));
  };
}
