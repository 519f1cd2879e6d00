//! The tray icon. It shows a [`Content`] and performs the clicked actions.

use tauri::image::Image;
use tauri::menu::{Menu, MenuBuilder, MenuItemBuilder, PredefinedMenuItem};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager, Wry, include_image};

use super::content::{Content, Line, Look};
use super::panel_color::PanelColor;
use crate::action::{self, Action};
use crate::options::Paths;

const ID: &str = "usher";

/// The icon. It is created once and never dropped, because the library does not release an icon.
pub struct Icon {
    icon: TrayIcon,
    shown: (Content, PanelColor),
}

impl Icon {
    pub fn new(app: &AppHandle, content: &Content, color: PanelColor) -> tauri::Result<Self> {
        let icon = TrayIconBuilder::with_id(ID)
            .icon(image(content.look, color))
            .icon_as_template(cfg!(target_os = "macos"))
            .tooltip("Usher")
            // The panel reads the icon from a file. Only this person can access the folder.
            .temp_dir_path(app.state::<Paths>().runtime_dir.join("tray"))
            .menu(&menu(app, content)?)
            .show_menu_on_left_click(true)
            .on_menu_event(|app, event| {
                // The events of all menus arrive here. Only the ids of this menu parse as actions.
                if let Ok(action) = serde_json::from_str::<Action>(event.id().as_ref()) {
                    action::perform(app, action);
                }
            })
            .build(app)?;
        Ok(Self { icon, shown: (content.clone(), color) })
    }

    /// Changes only what differs, because replacing the menu closes it.
    pub fn show(&mut self, app: &AppHandle, content: &Content, color: PanelColor) -> tauri::Result<()> {
        let (before, before_color) = &self.shown;
        if (before.look, *before_color) != (content.look, color) {
            self.icon
                .set_icon_with_as_template(Some(image(content.look, color)), cfg!(target_os = "macos"))?;
        }
        if before.lines != content.lines {
            self.icon.set_menu(Some(menu(app, content)?))?;
        }
        self.shown = (content.clone(), color);
        Ok(())
    }
}

fn menu(app: &AppHandle, content: &Content) -> tauri::Result<Menu<Wry>> {
    let mut menu = MenuBuilder::new(app);
    for line in &content.lines {
        menu = match line {
            Line::Text(text) => menu.item(&MenuItemBuilder::new(escape(text)).enabled(false).build(app)?),
            Line::Click(text, action) => {
                menu.item(&MenuItemBuilder::with_id(serde_json::to_string(action)?, escape(text)).build(app)?)
            }
            Line::Separator => menu.item(&PredefinedMenuItem::separator(app)?),
        };
    }
    menu.build()
}

/// Escapes `&`, which underlines the next letter in a menu.
fn escape(text: &str) -> String {
    text.replace('&', "&&")
}

fn image(look: Look, color: PanelColor) -> Image<'static> {
    match (look, color) {
        (Look::Idle, PanelColor::Light) => include_image!("../icons/tray/idle-light.png"),
        (Look::Idle, PanelColor::Dark) => include_image!("../icons/tray/idle-dark.png"),
        (Look::Idle, PanelColor::Unknown) => include_image!("../icons/tray/idle-any.png"),
        (Look::Working, PanelColor::Light) => include_image!("../icons/tray/working-light.png"),
        (Look::Working, PanelColor::Dark) => include_image!("../icons/tray/working-dark.png"),
        (Look::Working, PanelColor::Unknown) => include_image!("../icons/tray/working-any.png"),
        (Look::NeedsAttention, PanelColor::Light) => include_image!("../icons/tray/attention-light.png"),
        (Look::NeedsAttention, PanelColor::Dark) => include_image!("../icons/tray/attention-dark.png"),
        (Look::NeedsAttention, PanelColor::Unknown) => include_image!("../icons/tray/attention-any.png"),
    }
}
