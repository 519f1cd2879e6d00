import airtable from "simple-icons/icons/airtable.svg?raw";
import asana from "simple-icons/icons/asana.svg?raw";
import atlassian from "simple-icons/icons/atlassian.svg?raw";
import box from "simple-icons/icons/box.svg?raw";
import clickup from "simple-icons/icons/clickup.svg?raw";
import cloudflare from "simple-icons/icons/cloudflare.svg?raw";
import figma from "simple-icons/icons/figma.svg?raw";
import github from "simple-icons/icons/github.svg?raw";
import hubspot from "simple-icons/icons/hubspot.svg?raw";
import huggingface from "simple-icons/icons/huggingface.svg?raw";
import intercom from "simple-icons/icons/intercom.svg?raw";
import linear from "simple-icons/icons/linear.svg?raw";
import miro from "simple-icons/icons/miro.svg?raw";
import neon from "simple-icons/icons/neon.svg?raw";
import netlify from "simple-icons/icons/netlify.svg?raw";
import notion from "simple-icons/icons/notion.svg?raw";
import paypal from "simple-icons/icons/paypal.svg?raw";
import posthog from "simple-icons/icons/posthog.svg?raw";
import sentry from "simple-icons/icons/sentry.svg?raw";
import square from "simple-icons/icons/square.svg?raw";
import stripe from "simple-icons/icons/stripe.svg?raw";
import supabase from "simple-icons/icons/supabase.svg?raw";
import vercel from "simple-icons/icons/vercel.svg?raw";
import zapier from "simple-icons/icons/zapier.svg?raw";

export type BrandMark = {
  /** An SVG path in a 24 by 24 box. */
  path: string;
  /** The brand's colour; `null` if it is black or white, so that the logo follows the text colour. */
  colour: string | null;
};

function mark(svg: string, colour: string | null = null): BrandMark {
  return { path: / d="([^"]+)"/.exec(svg)?.[1] ?? "", colour };
}

const MARKS: Record<string, BrandMark> = {
  airtable: mark(airtable, "#18bfff"),
  asana: mark(asana, "#f06a6a"),
  atlassian: mark(atlassian, "#2684ff"),
  box: mark(box, "#0061d5"),
  clickup: mark(clickup, "#7b68ee"),
  cloudflare: mark(cloudflare, "#f38020"),
  figma: mark(figma, "#f24e1e"),
  github: mark(github),
  hubspot: mark(hubspot, "#ff7a59"),
  huggingface: mark(huggingface, "#e0a800"),
  intercom: mark(intercom),
  linear: mark(linear, "#5e6ad2"),
  miro: mark(miro),
  neon: mark(neon, "#1fae78"),
  netlify: mark(netlify, "#00a8a0"),
  notion: mark(notion),
  paypal: mark(paypal, "#0070e0"),
  posthog: mark(posthog),
  sentry: mark(sentry, "#7a5cb8"),
  square: mark(square),
  stripe: mark(stripe, "#635bff"),
  supabase: mark(supabase, "#2fae78"),
  vercel: mark(vercel),
  zapier: mark(zapier, "#ff4f00"),
};

/** The logo of a catalogue entry. Hyphens are ignored, and "cloudflare-bindings" uses Cloudflare's logo. */
export function brandMark(slug: string | null): BrandMark | null {
  if (!slug) return null;
  const key = [slug.replaceAll("-", ""), slug.split("-")[0] ?? ""].find((key) => Object.hasOwn(MARKS, key));
  return key === undefined ? null : (MARKS[key] ?? null);
}
