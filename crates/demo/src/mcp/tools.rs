//! The tools.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rmcp::handler::server::tool::{InputResponses, RequestState, schema_for_output};
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, tool, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::announcements::McpList;
use super::notebook::Page;
use super::server::McpServer;
use super::{elicitation, picture, resources, slow_task};

#[derive(Deserialize, JsonSchema)]
struct SearchPages {
    /// The words to search for; empty for all pages.
    #[serde(default)]
    query: String,
    /// The maximum number of pages; the default is 20.
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
    /// The first line with one of the words. If no line has one, the first line of the text.
    excerpt: String,
}

#[derive(Deserialize, JsonSchema)]
struct ReadPage {
    /// The page's slug, as returned by `search_pages`, or its URI.
    page: String,
}

#[derive(Deserialize, JsonSchema)]
struct CreatePage {
    /// The title. The slug is derived from it.
    #[schemars(length(min = 1, max = 120))]
    title: String,
    /// The text in Markdown.
    #[serde(default)]
    text: String,
}

#[derive(Deserialize, JsonSchema)]
struct SlowTask {
    /// The number of steps; the default is 5.
    #[schemars(range(min = 1, max = 100))]
    steps: Option<u32>,
    /// The duration of each step in milliseconds; the default is 600.
    #[schemars(range(min = 0, max = 10000))]
    millis: Option<u64>,
}

#[derive(Deserialize, JsonSchema)]
struct FailingTask {
    /// The error message.
    reason: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct DrawPicture {
    /// The number of petals; the default is 7.
    #[schemars(range(min = 2, max = 24))]
    petals: Option<u32>,
    /// The width and height in pixels; the default is 320.
    #[schemars(range(min = 32, max = 640))]
    size: Option<u32>,
}

#[tool_router(vis = "pub(super)")]
impl McpServer {
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
        let found = self.service.notebook.search(&query, limit);
        let text = match found.as_slice() {
            [] => format!("No page contains “{}”.", query.chars().take(100).collect::<String>()),
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

    /// Returns the text of a page in Markdown.
    ///
    /// `page` is the slug from `search_pages`, such as `night-train`, or the page's URI, such as
    /// `notebook://page/night-train`. For an unknown page, the error lists all slugs.
    #[tool(
        title = "Read page",
        annotations(read_only_hint = true, idempotent_hint = true, open_world_hint = false)
    )]
    async fn read_page(&self, Parameters(ReadPage { page }): Parameters<ReadPage>) -> Result<String, String> {
        let notebook = &self.service.notebook;
        notebook.page(&page).map(|page| page.text).ok_or_else(|| {
            let slugs: Vec<String> = notebook.all().into_iter().map(|page| page.slug).collect();
            format!("There is no such page. Available pages: {}.", slugs.join(", "))
        })
    }

    /// Adds a page and returns its slug and a link to it.
    ///
    /// Two pages may have the same title; the second slug then ends with a number. Existing pages are never changed.
    /// New pages are lost when the demo stops.
    ///
    /// Requires the permission `notes:write`.
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
    ) -> Result<CallToolResult, String> {
        let page = self.service.notebook.add(&title, &text).map_err(|why| why.to_string())?;
        self.service.announcements.announce(McpList::Resources);
        Ok(CallToolResult::success(vec![
            ContentBlock::text(format!("Added “{}” as `{}`.", page.title, page.slug)),
            ContentBlock::resource_link(resources::resource(&page)),
        ]))
    }

    /// Runs for a while and reports its progress.
    ///
    /// Use this tool to see progress, or to try cancelling a call. If you cancel the task, it stops immediately and
    /// returns the number of completed steps.
    #[tool(title = "Slow task", annotations(read_only_hint = true, open_world_hint = false))]
    async fn slow_task(
        &self,
        Parameters(SlowTask { steps, millis }): Parameters<SlowTask>,
        context: RequestContext<RoleServer>,
    ) -> Result<String, String> {
        let pause = Duration::from_millis(millis.unwrap_or(600).min(10_000));
        slow_task::run(&context, &self.service.running_tasks, steps.unwrap_or(5).clamp(1, 100), pause).await
    }

    /// Always fails, to show an error result.
    #[tool(title = "Failing task", annotations(read_only_hint = true, open_world_hint = false))]
    async fn failing_task(
        &self,
        Parameters(FailingTask { reason }): Parameters<FailingTask>,
    ) -> Result<(), String> {
        let reason = reason.filter(|reason| !reason.trim().is_empty());
        Err(reason.unwrap_or_else(|| "The task failed, as intended.".to_owned()))
    }

    /// Asks during the call which tea you would like.
    ///
    /// The app shows a small form. Fill it in, decline it, or close it. The result shows your response.
    #[tool(title = "Ask back", annotations(read_only_hint = true, open_world_hint = false))]
    async fn ask_back(
        &self,
        RequestState(state): RequestState,
        InputResponses(responses): InputResponses,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        elicitation::ask_back(
            &context,
            self.service.options.elicits_by_session,
            state.as_deref(),
            responses.as_ref(),
        )
        .await
    }

    /// Draws a rose and returns it as a PNG image.
    ///
    /// The rose is the curve `r = |cos(kθ)|`, which Guido Grandi described in 1728. Choose the number of petals.
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
            ErrorData::internal_error(format!("could not draw the picture: {error}"), None)
        })?;
        Ok(CallToolResult::success(vec![
            ContentBlock::text(format!("A rose with {petals} petals.")),
            ContentBlock::image(STANDARD.encode(picture), "image/png"),
        ]))
    }
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
