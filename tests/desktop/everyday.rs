//! The screens of every day: what a service offers, what more it wants, a pause, and the settings of a whole desktop.

use anyhow::Result;
use thirtyfour::Key;
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::PATIENCE;
use usher_tests::{Browser, Cli, Desktop, NotificationServer, Page, TrayHost, Window, walk};

use crate::people::{servers, sign_in_by_command};
use crate::tour::Tour;

#[tokio::test]
async fn offers_light() -> Result<()> {
    Tour::new(false).offers().await
}

#[tokio::test]
async fn offers_dark() -> Result<()> {
    Tour::new(true).offers().await
}

#[tokio::test]
async fn more_permission_light() -> Result<()> {
    Tour::new(false).more_permission().await
}

#[tokio::test]
async fn more_permission_dark() -> Result<()> {
    Tour::new(true).more_permission().await
}

#[tokio::test]
async fn a_pause_and_the_settings_light() -> Result<()> {
    Tour::new(false).pause_and_settings().await
}

#[tokio::test]
async fn a_pause_and_the_settings_dark() -> Result<()> {
    Tour::new(true).pause_and_settings().await
}

impl Tour {
    /// The app with the demo signed in as "notes", its page open.
    async fn open_notes(&self, desktop: &Desktop, demo: &Demo) -> Result<Window> {
        desktop.write_config(&servers(&[("notes", demo.url().as_str())]))?;
        sign_in_by_command(desktop, "notes").await?;
        let window = self.open(desktop).await?;
        window.page().press(&Page::id("server-notes")).await?;
        window.page().see(&walk::state("connected")).await?;
        Ok(window)
    }

    /// Resources and prompts, and what a person finds of them; in the end the service takes its sign-in back.
    async fn offers(self) -> Result<()> {
        let demo = Demo::start(DemoOptions::default()).await?;
        let desktop = Desktop::start().await?;
        let window = self.open_notes(&desktop, &demo).await?;
        let page = window.page();
        for (kind, name, found) in [("resource", "bees", "marmalade"), ("prompt", "summarise_page", "week")] {
            page.press(&Page::id(&format!("tab-{kind}s"))).await?;
            page.see(&Page::id(&format!("{kind}-{name}"))).await?;
            self.shoot(&window, &format!("{kind}s")).await?;

            let dialog = Page::id(&format!("{kind}-dialog"));
            page.press(&Page::id(&format!("{kind}-{name}"))).await?;
            page.see(&dialog).await?;
            self.shoot(&window, &format!("{kind}-dialog")).await?;
            page.key(Key::Escape).await?;
            page.see_gone(&dialog).await?;

            let search = Page::id(&format!("{kind}-search"));
            page.fill(&search, found).await?;
            page.read_until(&Page::id(&format!("{kind}-count")), "1").await?;
            self.shoot(&window, &format!("{kind}s-found")).await?;
            page.fill(&search, "nothing of the kind").await?;
            page.see_gone(&Page::id(kind)).await?;
            self.shoot(&window, &format!("{kind}s-not-found")).await?;
        }

        demo.revoke_everything();
        let call = Cli::new(&desktop).run(&["call", "notes", "search_pages", r#"{"query":"bees"}"#]).await?;
        assert_eq!(call.code, Some(3), "{call:?}");
        page.see(&walk::state("needs_sign_in")).await?;
        self.shoot(&window, "sign-in-lost").await?;
        self.end()
    }

    /// A tool that may not write: asked where it was pressed, and on the page for a call from elsewhere.
    async fn more_permission(self) -> Result<()> {
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
        page.bring_into_view(&in_dialog).await?;
        self.shoot(&window, "permission-in-the-dialog").await?;
        page.press(&format!("{in_dialog} {}", Page::id("permission-decline"))).await?;
        page.see_gone(&in_dialog).await?;
        page.see(&Page::id("error-message")).await?;
        page.bring_into_view(&Page::id("error-message")).await?;
        self.shoot(&window, "permission-declined").await?;
        page.key(Key::Escape).await?;
        page.see_gone(&Page::id("tool-dialog")).await?;

        let cli = Cli::new(&desktop);
        let call = cli.start(&["call", "notes", "create_page", r#"{"title":"Dawn","text":"Early."}"#])?;
        page.see(&card).await?;
        self.shoot(&window, "permission").await?;
        page.press(&format!("{card} {}", Page::id("sign-in"))).await?;
        let consent = walk::consent(&mut browser).await?;
        page.see(&Page::id("waiting")).await?;
        self.shoot(&window, "permission-in-the-browser").await?;
        walk::allow(&consent, &window).await?;
        page.see_gone(&card).await?;
        let call = call.finish(PATIENCE).await?;
        assert_eq!((call.code, call.stdout.contains("Added “Dawn”")), (Some(0), true), "{call:?}");
        self.end()
    }

    /// A desktop with all the parts.
    async fn pause_and_settings(self) -> Result<()> {
        let demo = Demo::start(DemoOptions::default()).await?;
        let desktop = Desktop::start().await?;
        let _tray = TrayHost::start(desktop.bus()?).await?;
        let _notifications = NotificationServer::start(desktop.bus()?).await?;
        let window = self.open_notes(&desktop, &demo).await?;
        let page = window.page();

        page.press(&Page::id("settings")).await?;
        page.read_until(&Page::id("tray"), "stays in the tray").await?;
        page.read_until(&Page::id("notifications"), "Click the notification").await?;
        page.press(&Page::id("autostart")).await?;
        page.see("[data-testid=\"autostart\"]:checked").await?;
        self.shoot(&window, "settings-of-a-whole-desktop").await?;

        page.press(&Page::id("pause-all")).await?;
        page.see(&Page::id("paused-note")).await?;
        page.bring_into_view(&Page::id("settings-resume")).await?;
        self.shoot(&window, "settings-paused").await?;
        page.press(&Page::id("server-notes")).await?;
        page.see(&walk::state("paused")).await?;
        self.shoot(&window, "service-paused").await?;
        page.press(&Page::id("resume-all")).await?;
        page.see_gone(&Page::id("paused-note")).await?;
        page.see(&walk::state("connected")).await?;
        self.end()
    }
}
