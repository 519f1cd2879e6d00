//! The limits on what a server can make Usher store, send or do.
//!
//! Readers of documents, tokens, messages and lists use these constants. Each of them states its unit and the reason for
//! its value. The largest honest servers that are known fit with room to spare.
//!
//! # Layout
//!
//! One file, in this order: documents and addresses, secrets, scopes, messages, lists, texts, calls, questions, programs.
//!
//! # Example
//!
//! ```
//! let scopes = "read ".repeat(90_000);
//! assert!(scopes.split(' ').take(usher_budgets::SCOPES).count() <= 500);
//! ```

use std::time::Duration;

/// Bytes of a metadata document or of a response of an authorization server, after decompression. The largest known
/// document has 20 kB.
pub const DOCUMENT_BYTES: usize = 1024 * 1024;

/// Redirects that are followed for one request. Browsers follow 20; no known service needs more than two.
pub const REDIRECTS: usize = 5;

/// Bytes of an address that a server names: an endpoint, an issuer or a resource identifier. Some proxies reject longer
/// addresses.
pub const ADDRESS_BYTES: usize = 2048;

/// Bytes of a callback. Browsers pass longer addresses on, but a code with its parameters needs a few hundred.
pub const CALLBACK_BYTES: usize = 4096;

/// Authorization servers that a resource may name and that are tried. Known resources name one or two.
pub const AUTHORIZATION_SERVERS: usize = 5;

/// Strings of one list in a metadata document that are read. No known document lists more than 300.
pub const METADATA_STRINGS: usize = 1000;

/// Bytes of all strings of one list in a metadata document. The list is stored for each server.
pub const METADATA_LIST_BYTES: usize = 64 * 1024;

/// Bytes of an access, refresh or ID token. Web servers accept headers of 8 to 32 kB, so a longer access token could
/// not be used.
pub const TOKEN_BYTES: usize = 32 * 1024;

/// Bytes of a nonce that a server sets for proofs (RFC 9449 §8.1). Each later request repeats it in a header.
pub const NONCE_BYTES: usize = 1024;

/// Bytes of a client ID. The longest known client IDs are addresses of metadata documents.
pub const CLIENT_ID_BYTES: usize = ADDRESS_BYTES;

/// Bytes of a client secret that a server issues. Some servers issue a signed token of about 1 kB.
pub const CLIENT_SECRET_BYTES: usize = 8 * 1024;

/// Characters of the code that a person enters on another device. Known codes have 6 to 9, some with a separator.
pub const USER_CODE_CHARACTERS: usize = 64;

/// The longest lifetime of such a code. Known codes are valid for 5 to 30 minutes.
pub const LONGEST_DEVICE_SIGN_IN: Duration = Duration::from_secs(60 * 60);

/// The longest time between two polls for the outcome of a sign-in on another device. Known servers ask for 5 seconds.
/// After a longer pause, the person would believe that the sign-in failed.
pub const LONGEST_POLL_INTERVAL: Duration = Duration::from_secs(60);

/// Scopes in one set. The largest known resource lists about 150.
pub const SCOPES: usize = 500;

/// Bytes of all scopes in one set. They are sent in an address, which browsers limit to about 64 kB.
pub const SCOPE_BYTES: usize = 16 * 1024;

/// Bytes of a JSON response of an MCP server, after decompression, and of one event of a stream. The largest known
/// results have 5 MB. Usher holds a response up to three times at once: as received, as a view, and as a line of the
/// socket. No server may cost more than 50 MB.
pub const MESSAGE_BYTES: usize = 10 * 1024 * 1024;

/// Bytes of a response that is parsed completely: the handshake, and errors. Parsed JSON takes up to fifteen times the
/// memory of its text. The longest known instructions of a server have 60 kB.
pub const PARSED_BYTES: usize = 1024 * 1024;

/// Bytes of a request or notification from a server. The largest that Usher answers are questions to the person, whose
/// forms have a few kB.
pub const SERVER_REQUEST_BYTES: usize = 64 * 1024;

/// Bytes of the id of a request from a server. Known servers use counters and UUIDs.
pub const REQUEST_ID_BYTES: usize = 256;

/// Requests from one server that are not answered yet. A server asks one or two questions at a time.
pub const OPEN_SERVER_REQUESTS: usize = 16;

/// Bytes of the body of an error that are read, to find a more specific reason than the status.
pub const ERROR_BODY_BYTES: usize = 64 * 1024;

/// Bytes of the id of an event. A longer one is ignored. Known servers use counters and UUIDs.
pub const EVENT_ID_BYTES: usize = 1024;

/// Bytes of the file with what was learned about servers. A hundred large servers need a tenth of this.
pub const LEARNED_BYTES: usize = 16 * 1024 * 1024;

/// The shortest time between two refreshes of a token that lives for a few seconds, so that a server cannot make each
/// request write a file. Requests that need the token wait for it.
pub const SHORTEST_REFRESH: Duration = Duration::from_secs(1);

/// The longest wait that a server can ask for with `Retry-After`. The person sees a longer outage as an error, and a
/// server that recovers is used again soon.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(5 * 60);

/// Step-ups for one operation, or for the handshake. More of them count as endless. Known servers need one.
pub const STEP_UPS: u32 = 3;

/// Cookies of one connection. Load balancers set one or two.
pub const COOKIES: usize = 20;

/// Bytes of the names and values of all cookies of one connection. They are sent with each request, and web servers
/// accept headers of 8 kB.
pub const COOKIE_BYTES: usize = 4096;

/// The shortest time in milliseconds after which a stream is opened again, whatever the server asks for.
pub const SHORTEST_RETRY_MILLIS: u64 = 1000;

/// The deadline for a JSON response, or for the head of an event stream. Tool calls have their own deadline instead,
/// which progress restarts.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// The deadline for the whole response to `server/discover`. It must be shorter than rmcp's own timeout of ten seconds.
pub const DISCOVER_TIMEOUT: Duration = Duration::from_secs(8);

/// The delay between a server's notification and the next listing, so that many changes cause one listing.
pub const LISTING_DELAY: Duration = Duration::from_secs(1);

/// The deadline for one page of a list. It is as long as for any response.
pub const PAGE_TIMEOUT: Duration = RESPONSE_TIMEOUT;

/// The deadline for all pages of a list. The largest known servers need a few seconds.
pub const LIST_TIMEOUT: Duration = Duration::from_secs(120);

/// Pages of one list. Known servers send up to 100 items in a page.
pub const LIST_PAGES: usize = 200;

/// Bytes of all pages of one list. The largest known servers offer 2,000 tools, with 1 to 3 kB each.
pub const LIST_BYTES: usize = 10 * 1024 * 1024;

/// Items of one list. The largest known servers offer 2,000 tools. The window shows a list of this length without delay.
pub const LIST_ITEMS: usize = 60_000;

/// Bytes of one item of a list, with its schemas. The largest known schemas have 100 kB.
pub const ITEM_BYTES: usize = 512 * 1024;

/// Levels of nesting in a schema. Readers of schemas are recursive. The deepest known schemas have about 20 levels.
pub const SCHEMA_DEPTH: usize = 100;

/// Blocks of content in one result. Known tools return up to a few hundred.
pub const RESULT_BLOCKS: usize = 10_000;

/// The longest time in milliseconds for which a list is reused without a question to the server, whatever the server
/// permits (`ttlMs`).
pub const LONGEST_LIST_TTL_MILLIS: u64 = 60 * 60 * 1000;

/// Characters of a name or title that are shown. Longer ones do not fit in a line.
pub const NAME_CHARACTERS: usize = 200;

/// Characters of a description that are shown. The longest known description has 12,000.
pub const DESCRIPTION_CHARACTERS: usize = 20_000;

/// Characters of an error and its description that are read. Fewer are shown.
pub const ERROR_CHARACTERS: usize = 2000;

/// Characters of a text of an authorization server that are shown: an error, a scope or an address.
pub const SHOWN_CHARACTERS: usize = 200;

/// Bytes of a tool's result that is checked for a refused sign-in. Longer results are data.
pub const REFUSAL_BYTES: usize = 2000;

/// Spaces at the beginning of a description's line that are kept. Markdown needs up to twelve.
pub const DESCRIPTION_INDENT: usize = 16;

/// Requests for one call: the first one, and one after each answer of the person or each visited address.
pub const CALL_ROUNDS: usize = 10;

/// The longest duration of one request of a call in seconds. Progress cannot extend it.
pub const LONGEST_CALL_SECONDS: u64 = 60 * 60;

/// Progress notifications of one call that wait for a slow reader. Further ones are dropped, because a later one
/// replaces them.
pub const PROGRESS_BACKLOG: usize = 32;

/// Questions of one server to one caller that are open at the same time. Further questions are cancelled.
pub const OPEN_QUESTIONS: usize = 8;

/// The time that the person has to answer a question, enough to look something up.
pub const QUESTION_DEADLINE: Duration = Duration::from_secs(10 * 60);

/// The time after a declined question in which further questions of the same server for the same call are cancelled.
/// The person would otherwise have to decline a repeated question again and again.
pub const QUESTION_COOL_DOWN: Duration = Duration::from_secs(30);

/// Characters of a question that are shown.
pub const QUESTION_CHARACTERS: usize = 10_000;

/// Characters of the name of a server or tool above its question. A longer name would push the rest of the first line
/// out of sight.
pub const ASKER_CHARACTERS: usize = 100;

/// Notifications about visited pages that wait for a call. A call that misses one continues without it.
pub const PAGE_VISIT_BACKLOG: usize = 64;

/// Lines of a program's stderr that are kept, enough for the trace of an error.
pub const OUTPUT_LINES: usize = 200;

/// Bytes of one line of a program's stderr. The rest of a longer line is dropped.
pub const OUTPUT_LINE_BYTES: usize = 2000;

/// Exits of a program in a row, each within a minute after its start, after which it is not started again.
pub const QUICK_EXITS: u32 = 5;

/// The deadline from the start of a program to the list of its tools, for a program such as `npx` that first downloads
/// another one. A slow network needs minutes.
pub const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(10 * 60);
