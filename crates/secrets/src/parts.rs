//! Secrets longer than one item may be: parts first, then a manifest in the secret's own place.
//!
//! Parts lie in one of two slots, `a` and `b`. A new value goes to the slot that the manifest in force does
//! not name, and only then is the manifest replaced: a write that was torn leaves the old value whole. The
//! manifest's digest refuses parts that do not belong together.

use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::backend::Secret;
use crate::item::Item;

/// What begins a manifest. A secret that itself begins so is always written in parts.
const MARK: &[u8] = b"usher-parts:";
/// More parts than any secret of ours has; a manifest that says more is not ours.
const MOST_PARTS: usize = 64;

/// A keychain: items with a limited length.
pub(crate) trait Items {
    const LIMIT: usize;

    fn read(&self, item: &Item) -> Result<Option<Secret>, Error>;
    fn write(&self, item: &Item, bytes: &[u8]) -> Result<(), Error>;
    /// `false` where there was nothing.
    fn remove(&self, item: &Item) -> Result<bool, Error>;
}

#[derive(Clone, Serialize, Deserialize)]
struct Manifest {
    slot: char,
    parts: usize,
    sha256: String,
}

/// The whole secret, or `None` where the item is not there.
pub(crate) fn get<I: Items>(items: &I, item: &Item) -> Result<Option<Secret>, Error> {
    let Some(head) = items.read(item)? else { return Ok(None) };
    let Some(manifest) = manifest(item, &head)? else { return Ok(Some(head)) };
    let mut whole = Zeroizing::new(Vec::with_capacity(manifest.parts * I::LIMIT));
    for index in 0..manifest.parts {
        let part = items.read(&item.part(manifest.slot, index))?;
        let part = part.ok_or_else(|| corrupt(item, format!("part {} is missing", index + 1)))?;
        whole.extend_from_slice(&part);
    }
    if digest(&whole) != manifest.sha256 {
        return Err(corrupt(item, "its parts do not belong together".to_owned()));
    }
    Ok(Some(whole))
}

/// Replaces the secret. Until the last step the old one stays readable.
pub(crate) fn put<I: Items>(items: &I, item: &Item, secret: &[u8]) -> Result<(), Error> {
    let old = match items.read(item) {
        // A manifest that cannot be read has no parts that anybody could find.
        Ok(head) => head.and_then(|head| manifest(item, &head).ok().flatten()),
        // Several items of one name: `write` makes them one.
        Err(Error::Corrupt { .. }) => None,
        Err(error) => return Err(error),
    };
    if secret.len() <= I::LIMIT && !secret.starts_with(MARK) {
        items.write(item, secret)?;
    } else {
        let slot = if old.as_ref().is_some_and(|old| old.slot == 'a') { 'b' } else { 'a' };
        let parts = secret.chunks(I::LIMIT);
        let manifest = Manifest { slot, parts: parts.len(), sha256: digest(secret) };
        if manifest.parts > MOST_PARTS {
            return Err(Error::TooLong { item: item.user().to_owned() });
        }
        for (index, part) in parts.enumerate() {
            items.write(&item.part(slot, index), part)?;
        }
        items.write(item, &encode(&manifest))?;
    }
    // The new value is in force: what is left of the old one is only litter.
    if let Some(old) = old
        && let Err(error) = remove_parts(items, item, &old)
    {
        tracing::warn!(item = item.user(), %error, "parts of an old secret were left behind");
    }
    Ok(())
}

/// Removes the secret: first the item, so that from then on there is none, then its parts.
pub(crate) fn remove<I: Items>(items: &I, item: &Item) -> Result<bool, Error> {
    let manifest = match items.read(item) {
        Ok(None) => return Ok(false),
        Ok(Some(head)) => manifest(item, &head).ok().flatten(),
        Err(Error::Corrupt { .. }) => None,
        Err(error) => return Err(error),
    };
    let removed = items.remove(item)?;
    if let Some(manifest) = manifest {
        remove_parts(items, item, &manifest)?;
    }
    Ok(removed)
}

fn remove_parts<I: Items>(items: &I, item: &Item, manifest: &Manifest) -> Result<(), Error> {
    for index in 0..manifest.parts {
        items.remove(&item.part(manifest.slot, index))?;
    }
    Ok(())
}

fn manifest(item: &Item, head: &[u8]) -> Result<Option<Manifest>, Error> {
    let Some(json) = head.strip_prefix(MARK) else { return Ok(None) };
    match serde_json::from_slice::<Manifest>(json) {
        Ok(manifest) if matches!(manifest.slot, 'a' | 'b') && manifest.parts <= MOST_PARTS => {
            Ok(Some(manifest))
        }
        Ok(_) | Err(_) => Err(corrupt(item, "its list of parts is damaged".to_owned())),
    }
}

fn encode(manifest: &Manifest) -> Vec<u8> {
    let json = serde_json::json!(manifest).to_string();
    [MARK, json.as_bytes()].concat()
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn corrupt(item: &Item, why: String) -> Error {
    Error::Corrupt { item: item.user().to_owned(), why }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    use super::*;

    /// A keychain of tiny items that fails after a number of writes.
    struct Tiny {
        items: RefCell<BTreeMap<String, Vec<u8>>>,
        writes_left: Cell<usize>,
    }

    impl Tiny {
        fn new() -> Self {
            Self { items: RefCell::default(), writes_left: Cell::new(usize::MAX) }
        }

        fn names(&self) -> Vec<String> {
            self.items.borrow().keys().cloned().collect()
        }
    }

    impl Items for Tiny {
        const LIMIT: usize = 16;

        fn read(&self, item: &Item) -> Result<Option<Secret>, Error> {
            Ok(self.items.borrow().get(item.user()).cloned().map(Zeroizing::new))
        }

        fn write(&self, item: &Item, bytes: &[u8]) -> Result<(), Error> {
            if self.writes_left.get() == 0 {
                return Err(Error::Locked { why: "test".to_owned() });
            }
            self.writes_left.set(self.writes_left.get() - 1);
            self.items.borrow_mut().insert(item.user().to_owned(), bytes.to_vec());
            Ok(())
        }

        fn remove(&self, item: &Item) -> Result<bool, Error> {
            Ok(self.items.borrow_mut().remove(item.user()).is_some())
        }
    }

    fn item() -> Item {
        Item::named("key").expect("a valid name")
    }

    fn read(items: &Tiny) -> Option<Vec<u8>> {
        get(items, &item()).expect("readable").map(|secret| secret.to_vec())
    }

    #[test]
    fn every_length_comes_back_and_leaves_no_litter() {
        let items = Tiny::new();
        for length in [0, 1, 15, 16, 17, 32, 33, 200, 5, 40, 16] {
            let secret = vec![b'x'; length];
            put(&items, &item(), &secret).expect("written");
            assert_eq!(read(&items), Some(secret));
            let parts = if length > 16 { length.div_ceil(16) } else { 0 };
            assert_eq!(items.names().len(), 1 + parts, "length {length}: {:?}", items.names());
        }
        put(&items, &item(), &[b'y'; 50]).expect("written");
        assert!(remove(&items, &item()).expect("removed"));
        assert_eq!(items.names(), Vec::<String>::new());
        assert!(!remove(&items, &item()).expect("nothing there"));
    }

    #[test]
    fn a_secret_that_looks_like_a_manifest_stays_a_secret() {
        let items = Tiny::new();
        for secret in [&b"usher-parts:"[..], br#"usher-parts:{"slot":"a","parts":1,"sha256":""}"#] {
            put(&items, &item(), secret).expect("written");
            assert_eq!(read(&items).as_deref(), Some(secret));
        }
    }

    #[test]
    fn a_torn_write_leaves_the_old_value() {
        for old in [&b"short"[..], &[b'o'; 60], &[b'p'; 100]] {
            for allowed in 0..5 {
                let items = Tiny::new();
                put(&items, &item(), old).expect("written");
                items.writes_left.set(allowed);
                put(&items, &item(), &[b'n'; 70]).expect_err("five parts and a manifest need six writes");
                assert_eq!(read(&items).as_deref(), Some(old), "after {allowed} writes");

                items.writes_left.set(usize::MAX);
                put(&items, &item(), &[b'm'; 20]).expect("written");
                assert_eq!(read(&items), Some(vec![b'm'; 20]));
            }
        }
    }

    #[test]
    fn parts_that_are_missing_or_foreign_are_corrupt() {
        let items = Tiny::new();
        put(&items, &item(), &[b'x'; 40]).expect("written");
        let part = item().part('a', 1);
        items.write(&part, b"foreign").expect("written");
        assert!(matches!(get(&items, &item()), Err(Error::Corrupt { .. })));
        items.remove(&part).expect("removed");
        assert!(matches!(get(&items, &item()), Err(Error::Corrupt { .. })));
        items.write(&item(), b"usher-parts:{}").expect("written");
        assert!(matches!(get(&items, &item()), Err(Error::Corrupt { .. })));
        // Writing anew heals it.
        put(&items, &item(), b"new").expect("written");
        assert_eq!(read(&items), Some(b"new".to_vec()));
    }
}
