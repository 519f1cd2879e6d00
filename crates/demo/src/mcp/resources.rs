//! The pages as resources.

use rmcp::ErrorData;
use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};

use super::notebook::{Notebook, Page, URI_PREFIX};

const MARKDOWN: &str = "text/markdown";

pub(super) fn resource(page: &Page) -> Resource {
    Resource::new(page.uri(), page.slug.clone())
        .with_title(page.title.clone())
        .with_mime_type(MARKDOWN)
        .with_size(page.text.len() as u64)
}

pub(super) fn template() -> ResourceTemplate {
    ResourceTemplate::new(format!("{URI_PREFIX}{{slug}}"), "page")
        .with_title("Page")
        .with_description("Any page, by the slug that `search_pages` returns.")
        .with_mime_type(MARKDOWN)
}

pub(super) fn read(notebook: &Notebook, uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let page = notebook
        .page(uri)
        .filter(|page| page.uri() == uri)
        .ok_or_else(|| ErrorData::resource_not_found("unknown page", None))?;
    let contents = ResourceContents::text(page.text, uri).with_mime_type(MARKDOWN);
    Ok(ReadResourceResult::new(vec![contents]))
}
