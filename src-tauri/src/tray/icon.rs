//! The icon in the tray: shows a content, tells what was clicked.

use tauri::image::Image;
use tauri::menu::{Menu, MenuBuilder, MenuItemBuilder, PredefinedMenuItem};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager, Wry, include_image};

use super::content::{Content, Line, Look};
use super::ground::Ground;
use crate::action::{self, Action};
use crate::shell::Shell;

const ID: &str = "usher";

/// The icon, once somebody shows it. It is made once: the library never lets go of one.
pub struct Icon {
    icon: TrayIcon,
    shown: (Content, Ground),
}

impl Icon {
    pub fn make(app: &AppHandle, content: &Content, ground: Ground) -> tauri::Result<Self> {
        let icon = TrayIconBuilder::with_id(ID)
            .icon(picture(content.look, ground))
            .icon_as_template(cfg!(target_os = "macos"))
            .tooltip("Usher")
            // The panel reads the picture from a file: in the folder that is this person's alone.
            .temp_dir_path(app.state::<Shell>().places.runtime_dir.join("tray"))
            .menu(&menu(app, content)?)
            .show_menu_on_left_click(true)
            .on_menu_event(|app, event| {
                // Everything in a menu comes through here; what is none of ours does not read as an action.
                if let Ok(action) = serde_json::from_str::<Action>(event.id().as_ref()) {
                    action::perform(app, action);
                }
            })
            .build(app)?;
        Ok(Self { icon, shown: (content.clone(), ground) })
    }

    /// Changes what differs: an open menu is not pulled away for nothing.
    pub fn show(&mut self, app: &AppHandle, content: &Content, ground: Ground) -> tauri::Result<()> {
        let (before, before_ground) = &self.shown;
        if (before.look, *before_ground) != (content.look, ground) {
            self.icon
                .set_icon_with_as_template(Some(picture(content.look, ground)), cfg!(target_os = "macos"))?;
        }
        if before.lines != content.lines {
            self.icon.set_menu(Some(menu(app, content)?))?;
        }
        self.shown = (content.clone(), ground);
        Ok(())
    }
}

fn menu(app: &AppHandle, content: &Content) -> tauri::Result<Menu<Wry>> {
    let mut menu = MenuBuilder::new(app);
    for line in &content.lines {
        menu = match line {
            Line::Words(text) => menu.item(&MenuItemBuilder::new(plain(text)).enabled(false).build(app)?),
            Line::Click(text, action) => {
                menu.item(&MenuItemBuilder::with_id(serde_json::to_string(action)?, plain(text)).build(app)?)
            }
            Line::Separator => menu.item(&PredefinedMenuItem::separator(app)?),
        };
    }
    menu.build()
}

/// In a menu `&` underlines the next letter; a service's name is not to.
fn plain(text: &str) -> String {
    text.replace('&', "&&")
}

fn picture(look: Look, ground: Ground) -> Image<'static> {
    match (look, ground) {
        (Look::AllWell, Ground::Light) => include_image!("../icons/tray/well-light.png"),
        (Look::AllWell, Ground::Dark) => include_image!("../icons/tray/well-dark.png"),
        (Look::AllWell, Ground::Unknown) => include_image!("../icons/tray/well-any.png"),
        (Look::Working, Ground::Light) => include_image!("../icons/tray/working-light.png"),
        (Look::Working, Ground::Dark) => include_image!("../icons/tray/working-dark.png"),
        (Look::Working, Ground::Unknown) => include_image!("../icons/tray/working-any.png"),
        (Look::NeedsYou, Ground::Light) => include_image!("../icons/tray/needs-you-light.png"),
        (Look::NeedsYou, Ground::Dark) => include_image!("../icons/tray/needs-you-dark.png"),
        (Look::NeedsYou, Ground::Unknown) => include_image!("../icons/tray/needs-you-any.png"),
    }
}
