//! The system's password dialog for the keychain (gcr-prompter), and key presses that answer it.

use anyhow::{Context, Result};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt as _, KEY_PRESS_EVENT, KEY_RELEASE_EVENT};
use x11rb::protocol::xtest::ConnectionExt as _;

use crate::wait::until_ready;
use crate::{Bus, Desktop, Windows};

const NAME: &str = "org.gnome.keyring.SystemPrompter";
const SERVICE: &str = "/usr/share/dbus-1/services/org.gnome.keyring.SystemPrompter.service";
const TITLE: &str = "Unlock Login Keyring";
const RETURN: u32 = 0xff0d;
const ESCAPE: u32 = 0xff1b;

/// The prompter of one desktop. The bus starts it on demand.
#[derive(Debug)]
pub struct Prompter<'a> {
    bus: &'a Bus,
    windows: Windows,
}

impl<'a> Prompter<'a> {
    /// Allows the desktop's bus to start the system's prompter on the desktop's screen.
    pub fn install(desktop: &'a Desktop) -> Result<Prompter<'a>> {
        let (bus, display) = (desktop.bus()?, desktop.display()?);
        let folder = desktop.folder("run/services");
        std::fs::copy(SERVICE, folder.join(format!("{NAME}.service")))
            .context("gcr-prompter is not installed")?;
        let environment =
            format!("{{'DISPLAY': '{}', 'NO_AT_BRIDGE': '1', 'GTK_A11Y': 'none'}}", display.name());
        bus.call_daemon("UpdateActivationEnvironment", &[&environment])?;
        bus.call_daemon("ReloadConfig", &[])?;
        Ok(Prompter { bus, windows: Windows::connect(display)? })
    }

    /// Whether the prompter is running. It exits some seconds after its last dialog.
    pub fn is_running(&self) -> Result<bool> {
        self.bus.has_owner(NAME)
    }

    /// Waits for the dialog and types the password.
    pub async fn enter_password(&self, password: &str) -> Result<()> {
        self.answer(password.chars().map(u32::from).chain([RETURN])).await
    }

    /// Waits for the dialog and dismisses it.
    pub async fn dismiss(&self) -> Result<()> {
        self.answer([ESCAPE]).await
    }

    /// Waits until the prompter exits.
    pub async fn wait_for_exit(&self) -> Result<()> {
        until_ready("the prompter to exit", || Ok((!self.is_running()?).then_some(()))).await
    }

    /// Waits for the dialog, presses these keys, and waits until the dialog is closed.
    async fn answer(&self, symbols: impl IntoIterator<Item = u32>) -> Result<()> {
        self.windows.bring_to_front(self.windows.see(TITLE).await?).await?;
        symbols.into_iter().try_for_each(|symbol| self.press(symbol))?;
        self.windows.see_gone(TITLE).await
    }

    /// Presses the key with this symbol. The symbol must not need a modifier such as Shift.
    fn press(&self, symbol: u32) -> Result<()> {
        let Windows { connection: keyboard, root } = &self.windows;
        let setup = keyboard.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let map = keyboard.get_keyboard_mapping(first, last - first + 1)?.reply()?;
        let columns = usize::from(map.keysyms_per_keycode).max(1);
        let index = map.keysyms.chunks(columns).position(|symbols| symbols.first() == Some(&symbol));
        let index =
            index.and_then(|index| u8::try_from(index).ok()).context("the keyboard has no such key")?;
        for event in [KEY_PRESS_EVENT, KEY_RELEASE_EVENT] {
            keyboard.xtest_fake_input(event, first + index, 0, *root, 0, 0, 0)?.check()?;
        }
        Ok(())
    }
}
