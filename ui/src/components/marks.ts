/** The source of each known logo. */
const LOGOS = import.meta.glob<string>(
  [
    "/node_modules/simple-icons/icons/{airtable,asana,atlassian,box,clickup,cloudflare,figma,github}.svg",
    "/node_modules/simple-icons/icons/{hubspot,huggingface,intercom,linear,miro,neon,netlify,notion}.svg",
    "/node_modules/simple-icons/icons/{paypal,posthog,sentry,square,stripe,supabase,vercel,zapier}.svg",
  ],
  { query: "?raw", import: "default", eager: true, exhaustive: true },
);

/** The brands' colours. Brands in black or white have none: their logos follow the text colour. */
const COLOURS: Record<string, string> = {
  airtable: "#18bfff",
  asana: "#f06a6a",
  atlassian: "#2684ff",
  box: "#0061d5",
  clickup: "#7b68ee",
  cloudflare: "#f38020",
  figma: "#f24e1e",
  hubspot: "#ff7a59",
  huggingface: "#e0a800",
  linear: "#5e6ad2",
  neon: "#1fae78",
  netlify: "#00a8a0",
  paypal: "#0070e0",
  sentry: "#7a5cb8",
  stripe: "#635bff",
  supabase: "#2fae78",
  zapier: "#ff4f00",
};

type BrandMark = {
  /** An SVG path in a 24 by 24 box. */
  path: string;
  /** The brand's colour; `null` if it is black or white, so that the logo follows the text colour. */
  colour: string | null;
};

/** The logo of a catalogue entry. Hyphens are ignored, and "cloudflare-bindings" uses Cloudflare's logo. */
export function brandMark(slug: string | null): BrandMark | null {
  if (!slug) return null;
  for (const name of [slug.replaceAll("-", ""), slug.split("-")[0] ?? ""]) {
    const logo = LOGOS[`/node_modules/simple-icons/icons/${name}.svg`];
    const path = logo && / d="([^"]+)"/.exec(logo)?.[1];
    if (path) return { path, colour: COLOURS[name] ?? null };
  }
  return null;
}
