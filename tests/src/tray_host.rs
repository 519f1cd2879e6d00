//! A stand-in for a panel with a tray: takes icons in, tells their pictures, reads their menus and clicks in them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use zbus::message::Header;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Structure, Value};
use zbus::{Connection, interface};

use crate::wait::{PATIENCE, until};
use crate::{Bus, place};

const PATH: &str = "/StatusNotifierWatcher";
const ITEM: &str = "org.kde.StatusNotifierItem";
const MENU: &str = "com.canonical.dbusmenu";

/// `org.kde.StatusNotifierWatcher` with a host, on one bus, until it is dropped.
#[derive(Debug)]
pub struct TrayHost {
    connection: Connection,
    items: Items,
}

/// An icon that a program put into the tray.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    owner: String,
    path: String,
}

type Items = Arc<Mutex<Vec<Item>>>;

struct Watcher(Items);

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    /// Some programs pass their bus name, others the path of the icon.
    async fn register_status_notifier_item(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
        service: String,
    ) -> zbus::fdo::Result<()> {
        let owner = header.sender().map(ToString::to_string).unwrap_or_default();
        let path = if service.starts_with('/') { service } else { "/StatusNotifierItem".to_owned() };
        let name = format!("{owner}{path}");
        {
            // The library may make itself known twice; a panel shows such an icon once.
            let item = Item { owner, path };
            let mut items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if items.contains(&item) {
                return Ok(());
            }
            items.push(item);
        }
        Self::status_notifier_item_registered(&emitter, &name).await?;
        Ok(())
    }

    fn register_status_notifier_host(&self, _service: String) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        let items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        items.iter().map(|item| format!("{}{}", item.owner, item.path)).collect()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(signal)]
    async fn status_notifier_item_registered(emitter: &SignalEmitter<'_>, item: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn status_notifier_host_registered(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}

/// One line of an icon's menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuLine {
    pub label: String,
    /// Whether it can be clicked.
    pub enabled: bool,
    id: i32,
}

impl TrayHost {
    /// Takes the name on the bus.
    pub async fn start(bus: &Bus) -> Result<TrayHost> {
        let items = Items::default();
        let connection = zbus::connection::Builder::address(bus.address())?
            .serve_at(PATH, Watcher(Arc::clone(&items)))?
            .name("org.kde.StatusNotifierWatcher")?
            .build()
            .await
            .context("no tray")?;
        Ok(TrayHost { connection, items })
    }

    /// The panel ends.
    pub async fn end(self) -> Result<()> {
        self.connection.close().await.context("the tray did not end")
    }

    /// How many icons came in so far.
    pub fn icons(&self) -> usize {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Waits until the icon shows the picture `icons/tray/NAME-….png`, whatever its ink.
    pub async fn see(&self, name: &str) -> Result<()> {
        self.see_picture(name, |shown| shown.rsplit_once('-').is_some_and(|(look, _ink)| look == name)).await
    }

    /// Waits until the icon shows the picture `icons/tray/NAME.png`.
    pub async fn see_ink(&self, name: &str) -> Result<()> {
        self.see_picture(name, |shown| shown == name).await
    }

    async fn see_picture(&self, name: &str, is_meant: impl Fn(&str) -> bool) -> Result<()> {
        let last = Mutex::new(None);
        let seen = until(&format!("the tray to show “{name}”"), PATIENCE, || async {
            let picture = self.picture().await?;
            let is_it = picture.as_deref().is_some_and(&is_meant);
            if let Ok(mut last) = last.lock() {
                *last = picture;
            }
            Ok(is_it.then_some(()))
        })
        .await;
        seen.with_context(|| format!("it shows {:?}", last.into_inner().ok().flatten()))
    }

    /// The name of the picture that the icon shows, such as `well-dark`; `None` while there is none.
    pub async fn picture(&self) -> Result<Option<String>> {
        let Some(item) = self.item() else { return Ok(None) };
        let Ok(file) = self.property::<String>(&item, "IconName").await else { return Ok(None) };
        // It may be replaced by the next picture this very moment.
        let Ok(shown) = pixels(Path::new(&file)) else { return Ok(None) };
        for entry in std::fs::read_dir(place::repository().join("icons/tray"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "png") && pixels(&path)? == shown {
                return Ok(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
            }
        }
        anyhow::bail!("{file} is none of our pictures")
    }

    /// The menu's lines, separators left out.
    pub async fn menu(&self) -> Result<Vec<MenuLine>> {
        let Some(item) = self.item() else { return Ok(Vec::new()) };
        let Ok(menu) = self.property::<OwnedObjectPath>(&item, "Menu").await else { return Ok(Vec::new()) };
        let none: &[&str] = &[];
        let reply = self
            .connection
            .call_method(Some(item.owner.as_str()), menu.as_str(), Some(MENU), "GetLayout", &(0, -1, none))
            .await?;
        type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);
        let (_revision, (_root, _properties, lines)): (u32, Layout) = reply.body().deserialize()?;
        Ok(lines
            .iter()
            .filter_map(|line| line.downcast_ref::<Structure>().ok().and_then(|line| read_line(&line)))
            .collect())
    }

    /// Waits for the first line whose label holds these words, and clicks it.
    pub async fn click(&self, words: &str) -> Result<()> {
        until("the click to be taken", PATIENCE, || async {
            let line = self.see_line(words).await?;
            let item = self.item().context("the icon is gone")?;
            let menu = self.property::<OwnedObjectPath>(&item, "Menu").await?;
            let event = (line.id, "clicked", Value::from(0), 0_u32);
            let connection = &self.connection;
            match connection
                .call_method(Some(item.owner.as_str()), menu.as_str(), Some(MENU), "Event", &event)
                .await
            {
                Ok(_) => Ok(Some(())),
                // The menu was made anew between the look and the click; who clicks sees the new one.
                Err(zbus::Error::MethodError(_, Some(why), _))
                    if why.contains("does not refer to a menu item") =>
                {
                    Ok(None)
                }
                Err(error) => Err(error).context("the click was not taken"),
            }
        })
        .await
    }

    /// Waits for the first line that can be clicked and whose label holds these words.
    pub async fn see_line(&self, words: &str) -> Result<MenuLine> {
        self.see_any(words, |line| line.enabled).await
    }

    /// Waits for the first line whose label holds these words, also where it only says something.
    pub async fn see_words(&self, words: &str) -> Result<MenuLine> {
        self.see_any(words, |_| true).await
    }

    async fn see_any(&self, words: &str, is_meant: impl Fn(&MenuLine) -> bool) -> Result<MenuLine> {
        let last = Mutex::new(Vec::new());
        let seen = until(&format!("a line of the menu with “{words}”"), PATIENCE, || async {
            let menu = self.menu().await?;
            let line = menu.iter().find(|line| is_meant(line) && line.label.contains(words)).cloned();
            if let Ok(mut last) = last.lock() {
                *last = menu;
            }
            Ok(line)
        })
        .await;
        seen.with_context(|| format!("the menu is {:?}", last.into_inner().unwrap_or_default()))
    }

    /// The icon that came last.
    fn item(&self) -> Option<Item> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).last().cloned()
    }

    async fn property<T>(&self, item: &Item, name: &str) -> Result<T>
    where
        T: TryFrom<OwnedValue>,
        T::Error: Into<zbus::zvariant::Error>,
    {
        let reply = self
            .connection
            .call_method(
                Some(item.owner.as_str()),
                item.path.as_str(),
                Some("org.freedesktop.DBus.Properties"),
                "Get",
                &(ITEM, name),
            )
            .await?;
        let value: OwnedValue = reply.body().deserialize()?;
        T::try_from(value).map_err(|error| anyhow::Error::new(error.into()))
    }
}

/// `(id, properties, children)`; a separator has no label. In labels `_` underlines the next letter.
fn read_line(line: &Structure<'_>) -> Option<MenuLine> {
    let [Value::I32(id), Value::Dict(properties), _children] = line.fields() else { return None };
    let label: Option<String> = properties.get(&"label").ok().flatten();
    let enabled: Option<bool> = properties.get(&"enabled").ok().flatten();
    Some(MenuLine { label: label?.replace("__", "_"), enabled: enabled.unwrap_or(true), id: *id })
}

fn pixels(file: &Path) -> Result<Vec<u8>> {
    let picture = std::fs::File::open(file).with_context(|| format!("no picture {}", file.display()))?;
    let mut decoder = png::Decoder::new(std::io::BufReader::new(picture));
    decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
    let mut reader = decoder.read_info()?;
    let mut pixels = vec![0; reader.output_buffer_size().context("the picture is too large")?];
    let info = reader.next_frame(&mut pixels)?;
    pixels.truncate(info.buffer_size());
    Ok(pixels)
}
