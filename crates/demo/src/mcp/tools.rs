//! The tools of the notebook.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::tool::{InputResponses, RequestState, schema_for_output};
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, tool, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::announcements::McpList;
use super::notebook::Page;
use super::server::NotebookServer;
use super::{elicitation, picture, resources, slow_task};

#[derive(Deserialize, JsonSchema)]
struct SearchPages {
    /// The words to look for; empty for all pages.
    #[serde(default)]
    query: String,
    /// How many pages to answer with, 20 if not said.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
}

#[derive(Serialize, JsonSchema)]
struct FoundPages {
    pages: Vec<FoundPage>,
}

#[derive(Serialize, JsonSchema)]
struct FoundPage {
    slug: String,
    title: String,
    /// The first line in which one of the words stands.
    excerpt: String,
}

#[derive(Deserialize, JsonSchema)]
struct ReadPage {
    /// The page's slug, as `search_pages` answers it, or its URI.
    page: String,
}

#[derive(Deserialize, JsonSchema)]
struct CreatePage {
    /// The title; the slug is made from it.
    #[schemars(length(min = 1, max = 120))]
    title: String,
    /// The text, in markdown.
    #[serde(default)]
    text: String,
}

#[derive(Deserialize, JsonSchema)]
struct SlowTask {
    /// How many steps, 5 if not said.
    #[schemars(range(min = 1, max = 100))]
    steps: Option<u32>,
    /// How many milliseconds each step takes, 600 if not said.
    #[schemars(range(min = 0, max = 10000))]
    millis: Option<u64>,
}

#[derive(Deserialize, JsonSchema)]
struct FailingTask {
    /// What is to have gone wrong.
    reason: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct DrawPicture {
    /// How many petals, 7 if not said.
    #[schemars(range(min = 2, max = 24))]
    petals: Option<u32>,
    /// Width and height in pixels, 320 if not said.
    #[schemars(range(min = 32, max = 640))]
    size: Option<u32>,
}

impl NotebookServer {
    pub(super) fn tools() -> ToolRouter<Self> {
        Self::tool_router()
    }
}

#[tool_router]
impl NotebookServer {
    #[tool(
        title = "Search pages",
        description = include_str!("descriptions/search_pages.md"),
        output_schema = schema_for_output::<FoundPages>(),
        annotations(read_only_hint = true, idempotent_hint = true, open_world_hint = false)
    )]
    async fn search_pages(
        &self,
        Parameters(SearchPages { query, limit }): Parameters<SearchPages>,
    ) -> Result<CallToolResult, ErrorData> {
        let limit = limit.unwrap_or(20).clamp(1, 100) as usize;
        let found = self.notebook().search(&query, limit);
        let text = match found.as_slice() {
            [] => format!("No page holds “{}”.", query.chars().take(100).collect::<String>()),
            pages => pages.iter().map(|page| format!("- **{}** (`{}`)\n", page.title, page.slug)).collect(),
        };
        let pages = found.iter().map(|page| FoundPage {
            slug: page.slug.clone(),
            title: page.title.clone(),
            excerpt: excerpt(page, &query),
        });
        let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
        result.structured_content = serde_json::to_value(FoundPages { pages: pages.collect() }).ok();
        Ok(result)
    }

    /// Opens one page and answers its whole text, in markdown.
    ///
    /// `page` is the slug that `search_pages` answers, such as `night-train`, or the page's URI, such as
    /// `notebook://page/night-train`. A name that no page has is answered with an error that lists the names there are.
    #[tool(
        title = "Read page",
        annotations(read_only_hint = true, idempotent_hint = true, open_world_hint = false)
    )]
    async fn read_page(
        &self,
        Parameters(ReadPage { page }): Parameters<ReadPage>,
    ) -> Result<CallToolResult, ErrorData> {
        Ok(match self.notebook().page(&page) {
            Some(page) => CallToolResult::success(vec![ContentBlock::text(page.text)]),
            None => {
                let slugs: Vec<String> = self.notebook().all().into_iter().map(|page| page.slug).collect();
                failed(format!("There is no such page. There are: {}.", slugs.join(", ")))
            }
        })
    }

    /// Adds a page at the end of the notebook and answers its slug and a link to it.
    ///
    /// Two pages may have the same title; the second then gets a number behind its slug. Pages that are there are never
    /// changed, and all that is added is forgotten when the practice service ends.
    ///
    /// Takes the permission `notes:write`.
    #[tool(
        title = "Create page",
        annotations(
            read_only_hint = false,
            destructive_hint = false,
            idempotent_hint = false,
            open_world_hint = false
        )
    )]
    async fn create_page(
        &self,
        Parameters(CreatePage { title, text }): Parameters<CreatePage>,
    ) -> Result<CallToolResult, ErrorData> {
        Ok(match self.notebook().add(&title, &text) {
            Ok(page) => {
                self.announcements().announce(McpList::Resources);
                CallToolResult::success(vec![
                    ContentBlock::text(format!("Added “{}” as `{}`.", page.title, page.slug)),
                    ContentBlock::resource_link(resources::resource(&page)),
                ])
            }
            Err(why) => failed(why.to_string()),
        })
    }

    /// Works for a while and says how far it is.
    ///
    /// Good for seeing progress and for trying to stop something: the task ends at once when the call is cancelled, and
    /// says how many steps it had done.
    #[tool(title = "Slow task", annotations(read_only_hint = true, open_world_hint = false))]
    async fn slow_task(
        &self,
        Parameters(SlowTask { steps, millis }): Parameters<SlowTask>,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let pause = Duration::from_millis(millis.unwrap_or(600).min(10_000));
        Ok(slow_task::run(&context, self.running_tasks(), steps.unwrap_or(5).clamp(1, 100), pause).await)
    }

    /// Goes wrong, always, so that one can see what that looks like.
    #[tool(title = "Failing task", annotations(read_only_hint = true, open_world_hint = false))]
    async fn failing_task(
        &self,
        Parameters(FailingTask { reason }): Parameters<FailingTask>,
    ) -> Result<CallToolResult, ErrorData> {
        let reason = reason.filter(|reason| !reason.trim().is_empty());
        Ok(failed(reason.unwrap_or_else(|| "The pencil broke. It is nobody's fault.".to_owned())))
    }

    /// Asks you something in the middle of its work: which tea you would like.
    ///
    /// The app shows a small form. You may fill it in, say no, or close it; the task says in the end what it understood.
    #[tool(title = "Ask back", annotations(read_only_hint = true, open_world_hint = false))]
    async fn ask_back(
        &self,
        RequestState(state): RequestState,
        InputResponses(answers): InputResponses,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        elicitation::ask_back(&context, self.asks_by_session(), state.as_deref(), answers.as_ref()).await
    }

    /// Draws a rose and answers it as a picture (PNG).
    ///
    /// It is the curve that Guido Grandi described in 1728: `r = |cos(kθ)|`. Choose the number of petals.
    #[tool(
        title = "Draw picture",
        annotations(read_only_hint = true, idempotent_hint = true, open_world_hint = false)
    )]
    async fn draw_picture(
        &self,
        Parameters(DrawPicture { petals, size }): Parameters<DrawPicture>,
    ) -> Result<CallToolResult, ErrorData> {
        let (petals, size) = (petals.unwrap_or(7).clamp(2, 24), size.unwrap_or(320).clamp(32, 640));
        let picture = picture::rose(petals, size).map_err(|error| {
            ErrorData::internal_error(format!("the picture was not drawn: {error}"), None)
        })?;
        Ok(CallToolResult::success(vec![
            ContentBlock::text(format!("A rose with {petals} petals.")),
            ContentBlock::image(STANDARD.encode(picture), "image/png"),
        ]))
    }
}

fn failed(text: String) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(text)])
}

fn excerpt(page: &Page, query: &str) -> String {
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let has_word = |line: &&str| {
        let line = line.to_lowercase();
        words.iter().any(|word| line.contains(word))
    };
    let mut lines = page.text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let line = lines.clone().find(has_word).or_else(|| lines.next()).unwrap_or_default();
    line.chars().take(160).collect()
}
