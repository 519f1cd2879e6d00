//! A fake panel with a tray, which identifies the icon, reads its menu and clicks in it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use zbus::message::Header;
use zbus::object_server::SignalEmitter;
use zbus::proxy::{self, CacheProperties, Proxy};
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Structure, Value};
use zbus::{Connection, interface};

use crate::wait::until;
use crate::{Bus, paths};

const PATH: &str = "/StatusNotifierWatcher";
const ITEM: &str = "org.kde.StatusNotifierItem";
const MENU: &str = "com.canonical.dbusmenu";

/// `org.kde.StatusNotifierWatcher` with a host, on one bus, until it is dropped.
#[derive(Debug)]
pub struct TrayHost {
    connection: Connection,
    items: Items,
}

/// A registered tray icon.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    owner: String,
    path: String,
}

type Items = Arc<Mutex<Vec<Item>>>;

struct Watcher(Items);

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    /// Programs pass either their bus name or the path of the icon.
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
            // The tray library may register an icon twice. Panels show it once.
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
}

/// An item of the icon's menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuItem {
    pub label: String,
    /// Whether the item can be clicked.
    pub enabled: bool,
    id: i32,
}

impl TrayHost {
    /// Takes the name on the bus.
    pub async fn start(bus: &Bus) -> Result<TrayHost> {
        let items = Items::default();
        let watcher = Watcher(Arc::clone(&items));
        let connection = bus.serve("org.kde.StatusNotifierWatcher", PATH, watcher).await?;
        Ok(TrayHost { connection, items })
    }

    /// Releases the name, as when the panel exits.
    pub async fn stop(self) -> Result<()> {
        self.connection.close().await.context("stop the tray")
    }

    /// The number of icons registered so far.
    pub fn icons(&self) -> usize {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Waits until the icon is `icons/tray/NAME.png`, or `icons/tray/NAME-….png` in any colour variant.
    pub async fn see_icon(&self, name: &str) -> Result<()> {
        let matches =
            |shown: &str| shown == name || shown.rsplit_once('-').is_some_and(|(icon, _color)| icon == name);
        let last = RefCell::new(None);
        let seen = until(&format!("the tray to show “{name}”"), || async {
            let shown = self.icon().await?;
            let found = shown.as_deref().is_some_and(matches);
            last.replace(shown);
            Ok(found.then_some(()))
        })
        .await;
        seen.with_context(|| format!("the tray shows {:?}", last.take()))
    }

    /// The name of the icon's file, such as `idle-dark`, or `None` if there is no icon.
    pub async fn icon(&self) -> Result<Option<String>> {
        let Some(item) = self.item() else { return Ok(None) };
        let Ok(file) = self.property::<String>(&item, "IconName").await else { return Ok(None) };
        // The app may replace the file at this moment.
        let Ok(shown) = pixels(Path::new(&file)) else { return Ok(None) };
        for entry in std::fs::read_dir(paths::repository().join("icons/tray"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "png") && pixels(&path)? == shown {
                return Ok(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
            }
        }
        anyhow::bail!("{file} is not one of our icons")
    }

    /// The menu's items, without separators.
    pub async fn menu(&self) -> Result<Vec<MenuItem>> {
        let Some(item) = self.item() else { return Ok(Vec::new()) };
        let Ok(menu) = self.property::<OwnedObjectPath>(&item, "Menu").await else { return Ok(Vec::new()) };
        let none: &[&str] = &[];
        type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);
        let (_revision, (_root, _properties, items)): (u32, Layout) =
            self.proxy(&item, &menu, MENU).await?.call("GetLayout", &(0, -1, none)).await?;
        Ok(items
            .iter()
            .filter_map(|item| item.downcast_ref::<Structure>().ok().and_then(|item| read_item(&item)))
            .collect())
    }

    /// Waits for the first enabled item whose label contains `text`, and clicks it.
    pub async fn click(&self, text: &str) -> Result<()> {
        until("a click on a menu item", || async {
            let menu_item = self.see_item(text).await?;
            let item = self.item().context("the icon is gone")?;
            let menu = self.property::<OwnedObjectPath>(&item, "Menu").await?;
            let event = (menu_item.id, "clicked", Value::from(0), 0_u32);
            match self.proxy(&item, &menu, MENU).await?.call("Event", &event).await {
                Ok(()) => Ok(Some(())),
                // The menu was rebuilt since it was read, so the item is looked up again.
                Err(zbus::Error::MethodError(_, Some(why), _))
                    if why.contains("does not refer to a menu item") =>
                {
                    Ok(None)
                }
                // The click made the app quit, before it replied.
                Err(zbus::Error::MethodError(name, _, _))
                    if name.as_str() == "org.freedesktop.DBus.Error.NoReply" =>
                {
                    Ok(Some(()))
                }
                Err(error) => Err(error).context("the click failed"),
            }
        })
        .await
    }

    /// Waits for the first enabled item whose label contains `text`.
    pub async fn see_item(&self, text: &str) -> Result<MenuItem> {
        self.see_matching(text, |item| item.enabled).await
    }

    /// Waits for the first item, enabled or not, whose label contains `text`.
    pub async fn see_text(&self, text: &str) -> Result<MenuItem> {
        self.see_matching(text, |_| true).await
    }

    async fn see_matching(&self, text: &str, matches: impl Fn(&MenuItem) -> bool) -> Result<MenuItem> {
        let last = RefCell::new(Vec::new());
        let seen = until(&format!("a menu item with “{text}”"), || async {
            let menu = self.menu().await?;
            let item = menu.iter().find(|item| matches(item) && item.label.contains(text)).cloned();
            last.replace(menu);
            Ok(item)
        })
        .await;
        seen.with_context(|| format!("the menu is {:?}", last.take()))
    }

    /// The icon that was registered last.
    fn item(&self) -> Option<Item> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).last().cloned()
    }

    async fn property<T>(&self, item: &Item, name: &str) -> zbus::Result<T>
    where
        T: TryFrom<OwnedValue>,
        T::Error: Into<zbus::Error>,
    {
        self.proxy(item, &item.path, ITEM).await?.get_property(name).await
    }

    async fn proxy<'a>(
        &'a self,
        item: &'a Item,
        path: &'a str,
        interface: &'a str,
    ) -> zbus::Result<Proxy<'a>> {
        // Uncached, because a tray icon announces its changes with signals of its own.
        let proxy = proxy::Builder::new(&self.connection).cache_properties(CacheProperties::No);
        proxy.destination(item.owner.as_str())?.path(path)?.interface(interface)?.build().await
    }
}

/// Reads `(id, properties, children)`. A separator has no label. In labels, `_` underlines the next letter.
fn read_item(item: &Structure<'_>) -> Option<MenuItem> {
    let [Value::I32(id), Value::Dict(properties), _children] = item.fields() else { return None };
    let label: Option<String> = properties.get(&"label").ok().flatten();
    let enabled: Option<bool> = properties.get(&"enabled").ok().flatten();
    Some(MenuItem { label: label?.replace("__", "_"), enabled: enabled.unwrap_or(true), id: *id })
}

fn pixels(file: &Path) -> Result<Vec<u8>> {
    let image = std::fs::File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let mut decoder = png::Decoder::new(std::io::BufReader::new(image));
    decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
    let mut reader = decoder.read_info()?;
    let mut pixels = vec![0; reader.output_buffer_size().context("the image is too large")?];
    let info = reader.next_frame(&mut pixels)?;
    pixels.truncate(info.buffer_size());
    Ok(pixels)
}
