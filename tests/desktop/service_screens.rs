//! The screens of resources and prompts, of a step-up, and of a pause, in light and dark.

use anyhow::Result;
use thirtyfour::Key;
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::TIMEOUT;
use usher_tests::{Browser, Cli, Desktop, Page, Window, steps};

use crate::screen_check::ScreenCheck;
use crate::support::{FullDesktop, configure_notes, sign_in_by_command};

#[tokio::test]
async fn resources_and_prompts_light() -> Result<()> {
    ScreenCheck::new(false).resources_and_prompts().await
}

#[tokio::test]
async fn resources_and_prompts_dark() -> Result<()> {
    ScreenCheck::new(true).resources_and_prompts().await
}

#[tokio::test]
async fn step_up_light() -> Result<()> {
    ScreenCheck::new(false).step_up().await
}

#[tokio::test]
async fn step_up_dark() -> Result<()> {
    ScreenCheck::new(true).step_up().await
}

#[tokio::test]
async fn pause_and_settings_light() -> Result<()> {
    ScreenCheck::new(false).pause_and_settings().await
}

#[tokio::test]
async fn pause_and_settings_dark() -> Result<()> {
    ScreenCheck::new(true).pause_and_settings().await
}

impl ScreenCheck {
    /// Signs in to the demo as "notes" and opens its page.
    async fn open_notes(&self, desktop: &Desktop, demo: &Demo) -> Result<Window> {
        configure_notes(desktop, demo)?;
        sign_in_by_command(desktop, "notes").await?;
        let window = self.open(desktop).await?;
        window.page().press(&Page::id("server-notes")).await?;
        window.page().see(&Page::status("connected")).await?;
        Ok(window)
    }

    /// Resources and prompts with their dialogs and searches, then a revoked sign-in.
    async fn resources_and_prompts(self) -> Result<()> {
        let demo = Demo::start(DemoOptions::default()).await?;
        let desktop = Desktop::start().await?;
        let window = self.open_notes(&desktop, &demo).await?;
        let page = window.page();
        for (kind, name, found) in [("resource", "bees", "marmalade"), ("prompt", "summarise_page", "week")] {
            page.press(&Page::id(&format!("tab-{kind}s"))).await?;
            page.see(&Page::id(&format!("{kind}-{name}"))).await?;
            self.check(&window, &format!("{kind}s")).await?;

            let dialog = Page::id(&format!("{kind}-dialog"));
            page.press(&Page::id(&format!("{kind}-{name}"))).await?;
            page.see(&dialog).await?;
            self.check(&window, &format!("{kind}-dialog")).await?;
            page.press_key(Key::Escape).await?;
            page.see_gone(&dialog).await?;

            let search = Page::id(&format!("{kind}-search"));
            page.fill(&search, found).await?;
            page.read_until(&Page::id(&format!("{kind}-count")), "1").await?;
            self.check(&window, &format!("{kind}s-found")).await?;
            page.fill(&search, "nothing of the kind").await?;
            page.see_gone(&Page::id(kind)).await?;
            self.check(&window, &format!("{kind}s-not-found")).await?;
        }

        demo.revoke_everything();
        let call = Cli::new(&desktop).run(&["call", "notes", "search_pages", r#"{"query":"bees"}"#]).await?;
        assert_eq!(call.code, Some(3), "{call:?}");
        page.see(&Page::status("needs_sign_in")).await?;
        self.check(&window, "sign-in-lost").await?;
        self.finish()
    }

    /// A tool call that lacks a scope. The step-up is in the tool's dialog, or on the page for a call by the command.
    async fn step_up(self) -> Result<()> {
        let scopes = ["openid", "notes:read"].map(String::from).to_vec();
        let demo = Demo::start(DemoOptions { challenge_scopes: scopes, ..DemoOptions::default() }).await?;
        let desktop = Desktop::start().await?;
        let mut browser = Browser::install(&desktop)?;
        let window = self.open_notes(&desktop, &demo).await?;
        let page = window.page();
        let card = Page::id("permission");
        let in_dialog = format!("{} {card}", Page::id("tool-dialog"));

        page.press(&Page::id("tool-create_page")).await?;
        for (field, text) in [("title", "A walk"), ("text", "Along the river.")] {
            let field = format!("{} :is(input, textarea)[id$=\"{field}\"]", Page::id("tool-dialog"));
            page.fill(&field, text).await?;
        }
        page.press(&Page::id("tool-run")).await?;
        page.see(&in_dialog).await?;
        page.scroll_into_view(&in_dialog).await?;
        self.check(&window, "permission-in-the-dialog").await?;
        page.press(&format!("{in_dialog} {}", Page::id("permission-decline"))).await?;
        page.see_gone(&in_dialog).await?;
        page.see(&Page::id("error-message")).await?;
        page.scroll_into_view(&Page::id("error-message")).await?;
        self.check(&window, "permission-declined").await?;
        page.press_key(Key::Escape).await?;
        page.see_gone(&Page::id("tool-dialog")).await?;

        let cli = Cli::new(&desktop);
        let call = cli.start(&["call", "notes", "create_page", r#"{"title":"Dawn","text":"Early."}"#])?;
        page.see(&card).await?;
        self.check(&window, "permission").await?;
        page.press(&format!("{card} {}", Page::id("sign-in"))).await?;
        let consent = steps::consent(&mut browser).await?;
        page.see(&Page::id("waiting")).await?;
        self.check(&window, "permission-in-the-browser").await?;
        steps::allow(&consent, &window).await?;
        page.see_gone(&card).await?;
        let call = call.finish(TIMEOUT).await?;
        assert_eq!((call.code, call.stdout.contains("Added “Dawn”")), (Some(0), true), "{call:?}");
        self.finish()
    }

    /// The settings on a desktop with a tray and notifications, and a pause of everything.
    async fn pause_and_settings(self) -> Result<()> {
        let demo = Demo::start(DemoOptions::default()).await?;
        let desktop = FullDesktop::start().await?;
        let window = self.open_notes(&desktop, &demo).await?;
        let page = window.page();

        page.press(&Page::id("settings")).await?;
        page.read_until(&Page::id("tray"), "stays in the tray").await?;
        page.read_until(&Page::id("notifications"), "Click the notification").await?;
        page.press(&Page::id("autostart")).await?;
        page.see("[data-testid=\"autostart\"]:checked").await?;
        self.check(&window, "settings-of-a-whole-desktop").await?;

        page.press(&Page::id("pause-all")).await?;
        page.see(&Page::id("paused-note")).await?;
        page.scroll_into_view(&Page::id("settings-resume")).await?;
        self.check(&window, "settings-paused").await?;
        page.press(&Page::id("server-notes")).await?;
        page.see(&Page::status("paused")).await?;
        self.check(&window, "service-paused").await?;
        page.press(&Page::id("resume-all")).await?;
        page.see_gone(&Page::id("paused-note")).await?;
        page.see(&Page::status("connected")).await?;
        self.finish()
    }
}
