import catalogueJson from "../../../crates/config/catalogue.json";
import type {
  AppInfo,
  AuthView,
  CatalogueEntry,
  ConfigView,
  DeviceSignInView,
  ElicitationView,
  ErrorView,
  NeedsSignIn,
  ProgramView,
  PromptView,
  QrCodeView,
  ResourceView,
  ServerView,
  Snapshot,
  Status,
  ToolView,
  Want,
} from "../../src/backend/bindings";

/** The real catalogue, as the app returns it. */
export const catalogue: CatalogueEntry[] = catalogueJson.map((entry) => ({
  slug: entry.slug,
  name: entry.name,
  url: entry.url,
  tier: entry.tier as CatalogueEntry["tier"],
  note: entry.note ?? null,
  setup: entry.setup ? { ...entry.setup, scopes: (entry.setup as { scopes?: string[] }).scopes ?? [] } : null,
}));

export const info: AppInfo = {
  version: "0.1.0",
  platform: "linux",
  config_path: "/home/ada/.config/usher/mcp.json",
  state_dir: "/home/ada/.local/state/usher",
  start_error: null,
  receives_links: true,
  appearance: "system",
  desktop: { tray: "shown", notifications: "with_actions", autostart: "off" },
};

export const config: ConfigView = {
  path: info.config_path,
  error: null,
  line: null,
  column: null,
  entry_errors: [],
  warnings: [],
};

export function secondsFromNow(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString();
}

export function error(
  code: ErrorView["code"],
  message: string,
  overrides: Partial<ErrorView> = {},
): ErrorView {
  return { code, message, hint: null, details: null, ...overrides };
}

export function oauth(overrides: Partial<Extract<AuthView, { kind: "o_auth" }>> = {}): AuthView {
  return {
    kind: "o_auth",
    signed_in: true,
    issuer: "https://mcp.notion.com",
    account: "ada@lovelace.example",
    scopes: ["pages:read", "pages:write", "search"],
    expires_at: secondsFromNow(52 * 60 + 20),
    refreshable: true,
    client_id: "cl_8Yk2Qm1xVb4",
    registration: "dynamic",
    redirect: "link",
    resource: "https://mcp.notion.com/mcp",
    ...overrides,
  };
}

export const signedOut = oauth({ signed_in: false, account: null, scopes: [], expires_at: null });

export const connected: Status = {
  state: "connected",
  since: secondsFromNow(-3600),
  protocol: "2026-07-28",
  tool_count: 6,
};

export function signingIn(overrides: Partial<Extract<Status, { state: "signing_in" }>> = {}): Status {
  return {
    state: "signing_in",
    step: "waiting_for_browser",
    host: "mcp.notion.com",
    redirect: "link",
    opened: secondsFromNow(-20),
    expires_at: secondsFromNow(4 * 60 + 38),
    next_redirect: "link_with_host",
    next_omits_prompt: false,
    device: null,
    ...overrides,
  };
}

export const device: DeviceSignInView = {
  user_code: "WDJB-MJHT",
  verification_uri: "https://mcp.notion.com/device",
  verification_uri_complete: "https://mcp.notion.com/device?user_code=WDJB-MJHT",
  host: "mcp.notion.com",
  expires_at: secondsFromNow(9 * 60 + 12),
};

/** A sign-in that waits for another device. */
export function onDevice(overrides: Partial<Extract<Status, { state: "signing_in" }>> = {}): Status {
  const { host, expires_at } = device;
  const waiting = { step: "waiting_for_device" as const, redirect: null, opened: null, next_redirect: null };
  return signingIn({ ...waiting, host, expires_at, device, ...overrides });
}

/** Looks like a QR code: three corner marks, and a pattern instead of the data. */
export const qrCode: QrCodeView = (() => {
  const size = 29;
  const isMark = (x: number, y: number) => {
    const [cx, cy] = [x > 14 ? x - 22 : x, y > 14 ? y - 22 : y];
    if (cx < 0 || cy < 0 || cx > 6 || cy > 6 || (x > 14 && y > 14)) return null;
    const ring = Math.max(Math.abs(cx - 3), Math.abs(cy - 3));
    return ring !== 2;
  };
  const modules = Array.from({ length: size * size }, (_, index) => [index % size, Math.floor(index / size)]);
  const isDark = ([x = 0, y = 0]: number[]) => isMark(x, y) ?? (x * x + 3 * y + x * y) % 5 < 2;
  return {
    size,
    path: modules
      .filter(isDark)
      .map(([x, y]) => `M${x} ${y}h1v1h-1z`)
      .join(""),
  };
})();

export function failed(...about: Parameters<typeof error>): Status {
  return { state: "failed", error: error(...about) };
}

/** The overrides of a service that needs a sign-in. */
export function needsSignIn(reason: NeedsSignIn): Pick<ServerView, "status" | "auth"> {
  return { status: { state: "needs_sign_in", reason }, auth: signedOut };
}

/** Derives `wants`, as the engine does. */
function wants({ status, permission, last_error }: Omit<ServerView, "wants">): Want | null {
  if (status.state === "needs_sign_in")
    return status.reason === "insufficient_scope" ? "permission" : "sign_in";
  if (status.state === "failed" && status.error.code === "secret_not_allowed") return "allow_secret";
  if (status.state === "failed" && status.error.code === "approval_needed") return "approve";
  if (status.state !== "connected") return null;
  if (permission || last_error?.code === "insufficient_scope") return "permission";
  return last_error?.code === "sign_in_required" ? "sign_in" : null;
}

export function server(overrides: Partial<ServerView> = {}): ServerView {
  const view: Omit<ServerView, "wants"> = {
    id: "notion",
    name: "Notion",
    description: null,
    icon: null,
    title: null,
    catalogue: "notion",
    address: "https://mcp.notion.com/mcp",
    transport: "http",
    status: connected,
    auth: oauth(),
    permission: null,
    endpoints_to_confirm: null,
    offers_device: false,
    last_error: null,
    secret_requests: [],
    program: null,
    questions_blocked: false,
    is_example: false,
    entry_error: null,
    ...overrides,
  };
  return { ...view, wants: wants(view) };
}

/** A local program that waits for the first approval. */
export function program(overrides: Partial<ProgramView> = {}): ProgramView {
  return {
    launch: {
      command: "npx",
      arguments: ["-y", "@modelcontextprotocol/server-filesystem", "/home/ada/notes"],
      environment: ["NOTES_KEY", "NODE_ENV"],
      placeholders: ["{{notes_key}}"],
      folder: null,
      digest: "5e8c",
    },
    is_approved: false,
    earlier: null,
    changed_variables: [],
    newest_line: null,
    ...overrides,
  };
}

export function snapshot(overrides: Partial<Snapshot> = {}): Snapshot {
  return {
    revision: 10,
    servers: [server()],
    config,
    secret_store: { kind: "keychain", error: null },
    paused: false,
    elicitations: [],
    ...overrides,
  };
}

export function elicitation(overrides: Partial<ElicitationView> = {}): ElicitationView {
  return {
    id: "q1",
    server: "notion",
    service: "Notion",
    host: "mcp.notion.com",
    call: null,
    tool: "Create a page",
    program: "command_line",
    message: "Which?",
    schema: "{}",
    url: null,
    expires_at: secondsFromNow(9 * 60 + 42),
    ...overrides,
  };
}

export function tool(overrides: Partial<ToolView> = {}): ToolView {
  return {
    name: "search_pages",
    title: "Search pages",
    description: "Finds pages by their words.",
    input_schema: JSON.stringify({
      type: "object",
      properties: { query: { type: "string", title: "Query", description: "Words to look for" } },
      required: ["query"],
    }),
    output_schema: null,
    read_only: true,
    destructive: false,
    broken: null,
    ...overrides,
  };
}

export const tools: ToolView[] = [
  tool({
    name: "search_pages",
    title: "Search pages",
    description:
      "Finds pages by their words, **newest first**.\n\nUse it before `read_page`: the result contains each page's id.\n\n- whole words and beginnings of words\n- at most 20 pages\n\nSee the [guide](https://developers.notion.com/docs) for the syntax.",
    input_schema: JSON.stringify({
      type: "object",
      properties: {
        query: { type: "string", title: "Query", description: "Words to look for" },
        limit: { type: "integer", title: "Limit", default: 5, minimum: 1, maximum: 20 },
        sort: { type: "string", title: "Sort by", enum: ["newest", "oldest", "title"], default: "newest" },
        archived: { type: "boolean", title: "Also archived pages", default: false },
      },
      required: ["query"],
    }),
  }),
  tool({
    name: "read_page",
    title: "Read a page",
    description: "Returns a page's text as markdown, with its title and the names of its authors.",
  }),
  tool({
    name: "create_page",
    title: "Create a page",
    description:
      "Creates a page in the notebook and returns its id. The content is markdown: headings, lists, quotes, code and tables are kept; anything else becomes plain text. Several pages may have the same title, and each has its own address, which does not change with the title. Images are not supported.",
    read_only: false,
    input_schema: JSON.stringify({
      type: "object",
      properties: {
        title: { type: "string", title: "Title" },
        content: { type: "string", title: "Content", description: "Markdown" },
        tags: { type: "array", title: "Tags", items: { type: "string" } },
      },
      required: ["title", "content"],
    }),
  }),
  tool({
    name: "delete_page",
    title: "Delete a page",
    description: "Deletes a page permanently.",
    read_only: false,
    destructive: true,
    broken: null,
  }),
  tool({
    name: "slow_task",
    title: null,
    description: "Counts slowly and reports its progress.",
    input_schema: JSON.stringify({ type: "object", properties: {} }),
  }),
  tool({ name: "whoami", title: "Who am I", description: null, input_schema: '{"type":"object"}' }),
];

export const resources: ResourceView[] = [
  {
    uri: "notebook://pages/shopping-list",
    name: "shopping-list",
    title: "Shopping list",
    description: "Milk, bread, **two** lemons. _Changed yesterday._",
    mime_type: "text/markdown",
    broken: null,
  },
  {
    uri: "notebook://pages/holiday-plans",
    name: "holiday-plans",
    title: "Holiday plans",
    description:
      "Where to go in autumn: trains, places to stay and what to see, day by day, with the addresses of everything that was booked already and the numbers to call if a train is late. See the [timetable](https://trains.example/autumn) for the connections that still have to be chosen, and the list at the end for what to pack.",
    mime_type: "text/markdown",
    broken: null,
  },
  {
    uri: "notebook://export.zip",
    name: "export.zip",
    title: null,
    description: null,
    mime_type: "application/zip",
    broken: null,
  },
  {
    uri: "notebook://scratch",
    name: "scratch",
    title: null,
    description: null,
    mime_type: null,
    broken: null,
  },
];

export const prompts: PromptView[] = [
  {
    name: "summarise_page",
    title: "Summarise a page",
    description: "A short summary of one page, in **three sentences** or fewer.",
    arguments: [
      { name: "page", description: "The page’s id, as returned by `search_pages`.", required: true },
      { name: "tone", description: null, required: false },
    ],
    broken: null,
  },
  { name: "plan_week", title: null, description: null, arguments: [], broken: null },
];
