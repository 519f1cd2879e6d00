//! Hostile texts and lists: the window stays usable, whatever a server offers or returns.

use anyhow::Result;
use serde_json::{Value, json};
use usher_budgets as budgets;
use usher_fake_service::FakeService;
use usher_tests::{Desktop, Page, Window, large_server};

const DESCRIPTION: &str = "Finds pages by their words, **newest first**.";

#[tokio::test]
async fn the_worst_descriptions_do_not_freeze_the_window() -> Result<()> {
    let texts = large_server::worst_texts();
    let tools = texts.iter().flat_map(|(name, text)| {
        (0..12).map(move |number| large_server::tool(&format!("{name}_{number}"), text))
    });
    let opened = Opened::start(tools.collect(), Vec::new()).await?;
    let page = opened.window.page();
    page.see(&Page::id("tool-emphasis_0")).await?;
    for (name, text) in &texts {
        let tool = format!("{name}_11");
        page.fill(&Page::id("tool-search"), &tool).await?;
        page.read_until(&Page::id("tool-count"), &format!("1 of {}", 12 * texts.len())).await?;
        page.press_to_see(&Page::id(&format!("tool-{tool}")), &Page::id("tool-run")).await?;
        // Whether the text is rendered or shown unchanged, it begins with these letters.
        let beginning: String = text.chars().filter(char::is_ascii_alphabetic).take(1).collect();
        let description = format!("{} [aria-busy], {0} .prose-server", Page::id("tool-dialog"));
        page.read_until(&description, &beginning).await?;
        page.close_dialog(&Page::id("tool-dialog")).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_longest_list_of_tools_does_not_freeze_the_window() -> Result<()> {
    let count = budgets::LIST_ITEMS;
    let last = Page::id(&format!("tool-tool_{}", count - 1));
    let opened = Opened::start(large_server::many_tools(count, DESCRIPTION), Vec::new()).await?;
    let page = opened.window.page();
    page.see(&Page::id("tool-tool_0")).await?;
    page.see(&format!("li[aria-posinset=\"1\"][aria-setsize=\"{count}\"]")).await?;
    let rows = page.script("return document.querySelectorAll('[data-testid=tool]').length").await?;
    assert!(rows.as_u64() < Some(100), "{rows} rows are in the document");
    page.screenshot("hostile/long-list").await?;

    page.script("const pane = document.querySelector('main'); pane.scrollTop = pane.scrollHeight").await?;
    page.see(&last).await?;

    page.fill(&Page::id("tool-search"), &format!("newest tool_{}", count - 1)).await?;
    page.read_until(&Page::id("tool-count"), &format!("1 of {count}")).await?;
    page.press_to_see(&last, &Page::id("tool-run")).await?;
    page.read_until(&format!("{} .prose-server", Page::id("tool-dialog")), "newest first").await?;
    page.close_dialog(&Page::id("tool-dialog")).await
}

#[tokio::test]
async fn the_worst_results_do_not_freeze_the_window() -> Result<()> {
    let block = |text: String| json!({ "type": "text", "text": text });
    let texts = large_server::worst_texts().into_iter().map(|(_, text)| block(text));
    let many = (0..5_000).map(|number| block(format!("block {number}")));
    let content = texts.chain(many).collect();
    let opened = Opened::start(vec![large_server::tool("attack", "")], content).await?;
    let page = opened.window.page();
    page.press_to_see(&Page::id("tool-attack"), &Page::id("tool-run")).await?;
    page.press_to_see(&Page::id("tool-run"), &Page::id("tool-result")).await?;
    let shown = page.read_until(&Page::id("tool-result"), "more characters").await?;
    assert!(shown.contains("block 10") && !shown.contains("block 4999"), "{} characters", shown.len());
    page.close_dialog(&Page::id("tool-dialog")).await
}

/// The window with one service.
struct Opened {
    // Dropped in this order: the app before the desktop that it runs on.
    window: Window,
    _desktop: Desktop,
    _service: FakeService,
}

impl Opened {
    /// Opens the window with a service that offers these tools. Each call returns these content blocks.
    async fn start(tools: Vec<Value>, content: Vec<Value>) -> Result<Opened> {
        let service = large_server::start(tools, content).await?;
        let desktop = Desktop::start().await?;
        desktop.configure([("large", service.url().as_str())])?;
        let window = Window::open(&desktop).await?;
        Ok(Opened { window, _desktop: desktop, _service: service })
    }
}
