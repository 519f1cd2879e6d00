import { m } from "../../paraglide/messages";

const BLURBS: Record<string, () => string> = {
  airtable: m.blurb_airtable,
  asana: m.blurb_asana,
  atlassian: m.blurb_atlassian,
  box: m.blurb_box,
  canva: m.blurb_canva,
  clickup: m.blurb_clickup,
  cloudflare: m.blurb_cloudflare,
  cloudflarebindings: m.blurb_cloudflarebindings,
  cloudflareobservability: m.blurb_cloudflareobservability,
  figma: m.blurb_figma,
  github: m.blurb_github,
  granola: m.blurb_granola,
  hubspot: m.blurb_hubspot,
  huggingface: m.blurb_huggingface,
  intercom: m.blurb_intercom,
  linear: m.blurb_linear,
  miro: m.blurb_miro,
  monday: m.blurb_monday,
  neon: m.blurb_neon,
  netlify: m.blurb_netlify,
  notion: m.blurb_notion,
  paypal: m.blurb_paypal,
  posthog: m.blurb_posthog,
  sentry: m.blurb_sentry,
  slack: m.blurb_slack,
  square: m.blurb_square,
  stripe: m.blurb_stripe,
  supabase: m.blurb_supabase,
  vercel: m.blurb_vercel,
  zapier: m.blurb_zapier,
};

/** A short description of a catalogue entry's service. */
export function blurb(slug: string): string | null {
  const key = slug.replaceAll("-", "");
  return (Object.hasOwn(BLURBS, key) ? BLURBS[key]?.() : null) ?? null;
}
