//! Opens the window with a server of ten tools, with the longest list, and with the worst descriptions. For each of
//! them, prints a line of JSON for `cargo xtask bench`, which then measures the memory of the process. The next line on
//! stdin continues.

use std::io::BufRead;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use usher_budgets as budgets;
use usher_tests::{Desktop, LaunchedApp, Page, Window, large_server};

/// The time that the window needs to finish its work after the start.
const SETTLE: Duration = Duration::from_secs(3);

/// Types a character that all tools contain, and one that no tool contains. Measures the time until the result is shown,
/// and the longest time in which the page does nothing else.
const TYPE: &str = r#"
    const done = arguments[arguments.length - 1];
    const field = document.querySelector("[data-testid=tool-search]");
    const shows = (count) =>
        document.querySelector("[data-testid=tool-count]").textContent.trim().startsWith(`${count} of `);
    const type = (text, isShown) => new Promise((resolve) => {
        const begun = performance.now();
        let [last, longest] = [begun, 0];
        field.value = text;
        field.dispatchEvent(new Event("input", { bubbles: true }));
        const turn = () => {
            const now = performance.now();
            [last, longest] = [now, Math.max(longest, now - last)];
            if (isShown()) resolve({ shown: now - begun, blocked: longest });
            else setTimeout(turn);
        };
        setTimeout(turn);
    });
    const total = Number(document.querySelector("[data-testid=tab-tools] .tabular-nums").textContent);
    (async () => {
        const all = await type("_", () => shows(total));
        const none = await type("_\u00a7", () => shows(0));
        done(all.shown > none.shown ? all : none);
    })();
"#;

#[derive(clap::Args)]
pub struct Arguments {
    /// The number of tools in the longest list
    #[arg(long, default_value_t = budgets::LIST_ITEMS)]
    tools: usize,
}

pub async fn run(Arguments { tools }: Arguments) -> Result<()> {
    // Short enough that the longest list of such tools stays below the limit in bytes.
    let description = "Finds pages by their words, **newest first**. ".repeat(2);
    let worst = large_server::worst_texts();
    let worst = worst.iter().flat_map(|(name, text)| {
        (0..12).map(move |number| large_server::tool(&format!("{name}_{number}"), text))
    });
    let worst: Vec<Value> = worst.collect();
    // The first start fills caches, so it is not reported.
    measure(large_server::many_tools(10, &description)).await?;
    for (name, tools) in [
        ("few", large_server::many_tools(10, &description)),
        ("many", large_server::many_tools(tools, &description)),
        ("worst", worst),
    ] {
        let count = tools.len();
        let (mut measured, _window, _desktop) = measure(tools).await?;
        measured["name"] = json!(name);
        measured["tools"] = json!(count);
        println!("{measured}");
        let line = tokio::task::spawn_blocking(|| std::io::stdin().lock().lines().next());
        line.await?.context("stdin ended before the measurement")??;
    }
    Ok(())
}

/// Returns the measurements with the id of the app's process, and the open window.
async fn measure(tools: Vec<Value>) -> Result<(Value, Window, Desktop)> {
    let first = Page::id(&format!("tool-{}", tools[0]["name"].as_str().unwrap_or_default()));
    let service = large_server::start(tools, Vec::new()).await?;
    let desktop = Desktop::start().await?;
    desktop.configure([("large", service.url().as_str())])?;
    let begun = Instant::now();
    let window = Window::open(&desktop).await?;
    window.page().see(&first).await?;
    let start = begun.elapsed().as_secs_f64() * 1000.0;
    let typed = window.page().session().execute_async(TYPE, Vec::new()).await?;
    tokio::time::sleep(SETTLE).await;
    let pid = desktop.bus()?.owner_pid(LaunchedApp::BUS_NAME)?;
    let measured = json!({ "start": start, "key": typed.json(), "pid": pid.as_raw_nonzero() });
    Ok((measured, window, desktop))
}
