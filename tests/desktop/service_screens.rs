//! The screens of resources and prompts, of a step-up, and of a pause, in light and dark.

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::{Browser, Cli, Desktop, Page, Window, steps};

use crate::screen_check::ScreenCheck;
use crate::support::{FullDesktop, read_only, sign_in_to_notes};

/// Signs in to the demo as "notes" and opens its page.
async fn open_notes(screens: &ScreenCheck, desktop: &Desktop, demo: &Demo) -> Result<Window> {
    sign_in_to_notes(desktop, demo).await?;
    let window = screens.open(desktop).await?;
    window.page().press_to_see(&Page::id("server-notes"), &Page::status("connected")).await?;
    Ok(window)
}

/// Resources and prompts with their dialogs and searches, then a revoked sign-in.
#[tokio::test]
async fn resources_and_prompts_are_accessible() -> Result<()> {
    for screens in ScreenCheck::light_and_dark() {
        let demo = Demo::start(DemoOptions::default()).await?;
        let desktop = Desktop::start().await?;
        let window = open_notes(&screens, &desktop, &demo).await?;
        let page = window.page();
        for (kind, name, found) in [("resource", "bees", "marmalade"), ("prompt", "summarise_page", "week")] {
            let (list, entry, dialog) =
                (format!("{kind}s"), format!("{kind}-{name}"), format!("{kind}-dialog"));
            screens.press(&window, &format!("tab-{list}"), &Page::id(&entry), &list).await?;
            screens.press(&window, &entry, &Page::id(&dialog), &dialog).await?;
            page.close_dialog(&Page::id(&dialog)).await?;

            let search = Page::id(&format!("{kind}-search"));
            page.fill(&search, found).await?;
            page.read_until(&Page::id(&format!("{kind}-count")), "1").await?;
            screens.check(&window, &format!("{list}-found")).await?;
            page.fill(&search, "nothing of the kind").await?;
            page.see_gone(&Page::id(kind)).await?;
            screens.check(&window, &format!("{list}-not-found")).await?;
        }

        demo.revoke_everything();
        let call = Cli::new(&desktop).run(&["call", "notes", "search_pages", r#"{"query":"bees"}"#]).await?;
        assert_eq!(call.code, Some(3), "{call:?}");
        page.see(&Page::status("needs_sign_in")).await?;
        screens.check(&window, "sign-in-lost").await?;
        screens.finish();
    }
    Ok(())
}

/// A tool call that lacks a scope. The step-up is shown in the tool's dialog, or on the service's page if `usher call`
/// calls the tool.
#[tokio::test]
async fn the_screens_of_a_step_up_are_accessible() -> Result<()> {
    for screens in ScreenCheck::light_and_dark() {
        let demo = Demo::start(read_only()).await?;
        let desktop = Desktop::start().await?;
        let mut browser = Browser::install(&desktop)?;
        let window = open_notes(&screens, &desktop, &demo).await?;
        let page = window.page();
        let card = Page::id("permission");
        let in_dialog = format!("{} {card}", Page::id("tool-dialog"));

        steps::run_tool(page, "create_page", &[("title", "A walk"), ("text", "Along the river.")]).await?;
        page.scroll_into_view(&in_dialog).await?;
        screens.check(&window, "permission-in-the-dialog").await?;
        page.press(&format!("{in_dialog} {}", Page::id("permission-decline"))).await?;
        page.see_gone(&in_dialog).await?;
        page.scroll_into_view(&Page::id("error-message")).await?;
        screens.check(&window, "permission-declined").await?;
        page.close_dialog(&Page::id("tool-dialog")).await?;

        let cli = Cli::new(&desktop);
        let call = cli.start(&["call", "notes", "create_page", r#"{"title":"Dawn","text":"Early."}"#])?;
        page.see(&card).await?;
        screens.check(&window, "permission").await?;
        page.press(&format!("{card} {}", Page::id("sign-in"))).await?;
        let consent = steps::consent(&mut browser).await?;
        page.see(&Page::id("waiting")).await?;
        screens.check(&window, "permission-in-the-browser").await?;
        steps::allow(&consent, &window).await?;
        page.see_gone(&card).await?;
        let call = call.finish().await?;
        assert_eq!((call.code, call.stdout.contains("Added “Dawn”")), (Some(0), true), "{call:?}");
        screens.finish();
    }
    Ok(())
}

/// The settings on a desktop with a tray and notifications, and a pause of everything.
#[tokio::test]
async fn the_settings_and_the_pause_are_accessible() -> Result<()> {
    for screens in ScreenCheck::light_and_dark() {
        let demo = Demo::start(DemoOptions::default()).await?;
        let desktop = FullDesktop::start().await?;
        let window = open_notes(&screens, &desktop, &demo).await?;
        let page = window.page();

        page.press(&Page::id("settings")).await?;
        page.read_until(&Page::id("tray"), "stays in the tray").await?;
        page.read_until(&Page::id("notifications"), "Click the notification").await?;
        let switched_on = "[data-testid=\"autostart\"]:checked";
        screens.press(&window, "autostart", switched_on, "settings-of-a-whole-desktop").await?;

        page.press_to_see(&Page::id("pause-all"), &Page::id("paused-note")).await?;
        page.scroll_into_view(&Page::id("settings-resume")).await?;
        screens.check(&window, "settings-paused").await?;
        screens.press(&window, "server-notes", &Page::status("paused"), "service-paused").await?;
        page.press(&Page::id("resume-all")).await?;
        page.see_gone(&Page::id("paused-note")).await?;
        page.see(&Page::status("connected")).await?;
        screens.finish();
    }
    Ok(())
}
