//! The system's own question for the keychain's password (gcr-prompter), and the person who answers it at the keyboard.

use anyhow::{Context, Result};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt as _, KEY_PRESS_EVENT, KEY_RELEASE_EVENT};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use crate::wait::{PATIENCE, until_ready};
use crate::{Bus, Desktop, Windows};

const NAME: &str = "org.gnome.keyring.SystemPrompter";
const SERVICE: &str = "/usr/share/dbus-1/services/org.gnome.keyring.SystemPrompter.service";
const TITLE: &str = "Unlock Login Keyring";
const RETURN: u32 = 0xff0d;
const ESCAPE: u32 = 0xff1b;

/// The prompter of one desktop. The bus starts it when it is asked.
#[derive(Debug)]
pub struct Prompter<'a> {
    bus: &'a Bus,
    windows: Windows,
    keyboard: RustConnection,
    root: u32,
}

impl<'a> Prompter<'a> {
    /// Lets the desktop's bus start the system's prompter, on the desktop's screen.
    pub fn install(desktop: &'a Desktop) -> Result<Prompter<'a>> {
        let (bus, display) = (desktop.bus()?, desktop.display()?);
        let folder = desktop.folder("run/services");
        std::fs::copy(SERVICE, folder.join(format!("{NAME}.service"))).context("no prompter is installed")?;
        let call = |method: &str, arguments: &[&str]| {
            bus.call(
                "org.freedesktop.DBus",
                "/org/freedesktop/DBus",
                &format!("org.freedesktop.DBus.{method}"),
                arguments,
            )
        };
        let environment =
            format!("{{'DISPLAY': '{}', 'NO_AT_BRIDGE': '1', 'GTK_A11Y': 'none'}}", display.name());
        call("UpdateActivationEnvironment", &[&environment])?;
        call("ReloadConfig", &[])?;
        let (keyboard, screen) = RustConnection::connect(Some(display.name())).context("no screen")?;
        let root = keyboard.setup().roots.get(screen).context("the screen has no root")?.root;
        Ok(Prompter { bus, windows: Windows::of(display)?, keyboard, root })
    }

    /// Whether anybody asked for the password; the prompter stays for some seconds after its last question.
    pub fn was_asked(&self) -> Result<bool> {
        self.bus.has(NAME)
    }

    /// The person reads the question and types the password.
    pub async fn answer(&self, password: &str) -> Result<()> {
        self.windows.bring_to_front(self.windows.see(TITLE).await?).await?;
        for letter in password.chars() {
            self.press(u32::from(letter))?;
        }
        self.press(RETURN)?;
        self.windows.see_gone(TITLE).await
    }

    /// The person waves the question away.
    pub async fn dismiss(&self) -> Result<()> {
        self.windows.bring_to_front(self.windows.see(TITLE).await?).await?;
        self.press(ESCAPE)?;
        self.windows.see_gone(TITLE).await
    }

    /// Waits until the prompter has nothing more to ask and ends.
    pub async fn rests(&self) -> Result<()> {
        until_ready("the prompter to rest", PATIENCE, || Ok((!self.was_asked()?).then_some(()))).await
    }

    /// One key, by its symbol: one that needs no second key held down.
    fn press(&self, symbol: u32) -> Result<()> {
        let setup = self.keyboard.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let map = self.keyboard.get_keyboard_mapping(first, last - first + 1)?.reply()?;
        let columns = usize::from(map.keysyms_per_keycode).max(1);
        let place = map.keysyms.chunks(columns).position(|symbols| symbols.first() == Some(&symbol));
        let place =
            place.and_then(|place| u8::try_from(place).ok()).context("the keyboard has no such key")?;
        for event in [KEY_PRESS_EVENT, KEY_RELEASE_EVENT] {
            self.keyboard.xtest_fake_input(event, first + place, 0, self.root, 0, 0, 0)?.check()?;
        }
        Ok(())
    }
}
