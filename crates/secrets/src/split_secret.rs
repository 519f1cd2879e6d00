//! Secrets that are too long for one keychain item, split into parts and a manifest.
//!
//! The manifest is stored under the name of the secret. The parts are stored in one of two slots, `a` and `b`. A write
//! has three steps, so that an interrupted write leaves the old value intact:
//!
//! 1. Write the parts to the slot that is not in use, first part first.
//! 2. Replace the manifest, which names the slot and the digest of the secret.
//! 3. Remove the old parts, last part first.
//!
//! This order leaves no gaps between the parts in a slot, so the next write can find and remove the parts of an
//! interrupted one.

use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::item::Item;
use crate::secret::Secret;

/// The beginning of a manifest. A secret with the same beginning is always split.
const MANIFEST_PREFIX: &[u8] = b"usher-parts:";
/// The maximum number of parts, more than any valid secret needs. A manifest with a larger number is invalid.
const MAX_PARTS: usize = 64;

/// A keychain, whose items have a limited length.
pub(crate) trait Items {
    const LIMIT: usize;

    fn read(&self, item: &Item) -> Result<Option<Secret>, Error>;
    /// Whether the item exists, without reading its secret.
    fn has(&self, item: &Item) -> Result<bool, Error>;
    fn write(&self, item: &Item, bytes: &[u8]) -> Result<(), Error>;
    /// Returns `false` if the item did not exist.
    fn remove(&self, item: &Item) -> Result<bool, Error>;
}

#[derive(Clone, Serialize, Deserialize)]
struct Manifest {
    slot: char,
    parts: usize,
    sha256: String,
}

/// Returns the whole secret, or `None` if the item does not exist.
pub(crate) fn get<I: Items>(items: &I, item: &Item) -> Result<Option<Secret>, Error> {
    let Some(head) = items.read(item)? else { return Ok(None) };
    let Some(manifest) = manifest(item, &head)? else { return Ok(Some(head)) };
    let mut whole = Zeroizing::new(Vec::with_capacity(manifest.parts * I::LIMIT));
    for index in 0..manifest.parts {
        let part = items.read(&item.part(manifest.slot, index))?;
        let part = part.ok_or_else(|| item.corrupt(format!("part {} is missing", index + 1)))?;
        whole.extend_from_slice(&part);
    }
    if digest(&whole) != manifest.sha256 {
        return Err(item.corrupt("its parts do not match"));
    }
    Ok(Some(whole))
}

/// Replaces the secret. The old one stays readable until the new one is written.
pub(crate) fn put<I: Items>(items: &I, item: &Item, secret: &[u8]) -> Result<(), Error> {
    let old = match items.read(item) {
        // The parts of an unreadable manifest are removed below.
        Ok(head) => head.and_then(|head| manifest(item, &head).ok().flatten()),
        // Several items with the same name: `write` reduces them to one.
        Err(Error::Corrupt { .. }) => None,
        Err(error) => return Err(error),
    };
    let current = if secret.len() <= I::LIMIT && !secret.starts_with(MANIFEST_PREFIX) {
        items.write(item, secret)?;
        None
    } else {
        let slot = if old.as_ref().is_some_and(|old| old.slot == 'a') { 'b' } else { 'a' };
        let parts = secret.chunks(I::LIMIT);
        let manifest = Manifest { slot, parts: parts.len(), sha256: digest(secret) };
        if manifest.parts > MAX_PARTS {
            return Err(Error::TooLong { item: item.user().to_owned() });
        }
        for (index, part) in parts.enumerate() {
            items.write(&item.part(slot, index), part)?;
        }
        items.write(item, &encode(&manifest))?;
        Some(manifest)
    };
    remove_stale_parts(items, item, current.as_ref());
    Ok(())
}

/// Removes the item, which deletes the secret, and then its parts.
pub(crate) fn remove<I: Items>(items: &I, item: &Item) -> Result<bool, Error> {
    let removed = items.remove(item)?;
    remove_stale_parts(items, item, None);
    Ok(removed)
}

/// Removes the parts that are not in the current manifest. An error is only logged, because the secret itself has been
/// written or removed. The next write or removal tries again.
fn remove_stale_parts<I: Items>(items: &I, item: &Item, current: Option<&Manifest>) {
    if let Err(error) = try_remove_stale_parts(items, item, current) {
        tracing::warn!(item = item.user(), %error, "could not remove the parts of an old secret");
    }
}

fn try_remove_stale_parts<I: Items>(items: &I, item: &Item, current: Option<&Manifest>) -> Result<(), Error> {
    for slot in ['a', 'b'] {
        let used = current.filter(|manifest| manifest.slot == slot).map_or(0, |manifest| manifest.parts);
        let mut end = used;
        while end < MAX_PARTS && items.has(&item.part(slot, end))? {
            end += 1;
        }
        for index in (used..end).rev() {
            items.remove(&item.part(slot, index))?;
        }
    }
    Ok(())
}

fn manifest(item: &Item, head: &[u8]) -> Result<Option<Manifest>, Error> {
    let Some(json) = head.strip_prefix(MANIFEST_PREFIX) else { return Ok(None) };
    match serde_json::from_slice::<Manifest>(json) {
        Ok(manifest) if matches!(manifest.slot, 'a' | 'b') && manifest.parts <= MAX_PARTS => {
            Ok(Some(manifest))
        }
        Ok(_) | Err(_) => Err(item.corrupt("its manifest is damaged")),
    }
}

fn encode(manifest: &Manifest) -> Vec<u8> {
    let json = serde_json::json!(manifest).to_string();
    [MANIFEST_PREFIX, json.as_bytes()].concat()
}

fn digest(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    use super::*;

    /// A keychain with tiny items. It fails after a given number of changes.
    struct TinyKeychain {
        items: RefCell<BTreeMap<String, Vec<u8>>>,
        changes_left: Cell<usize>,
    }

    impl TinyKeychain {
        fn new() -> Self {
            Self { items: RefCell::default(), changes_left: Cell::new(usize::MAX) }
        }

        fn names(&self) -> Vec<String> {
            self.items.borrow().keys().cloned().collect()
        }

        fn change(&self) -> Result<(), Error> {
            let left = self.changes_left.get().checked_sub(1);
            self.changes_left.set(left.ok_or(Error::Locked { why: "test".to_owned() })?);
            Ok(())
        }
    }

    impl Items for TinyKeychain {
        const LIMIT: usize = 16;

        fn read(&self, item: &Item) -> Result<Option<Secret>, Error> {
            Ok(self.items.borrow().get(item.user()).cloned().map(Zeroizing::new))
        }

        fn has(&self, item: &Item) -> Result<bool, Error> {
            Ok(self.items.borrow().contains_key(item.user()))
        }

        fn write(&self, item: &Item, bytes: &[u8]) -> Result<(), Error> {
            self.change()?;
            self.items.borrow_mut().insert(item.user().to_owned(), bytes.to_vec());
            Ok(())
        }

        fn remove(&self, item: &Item) -> Result<bool, Error> {
            self.change()?;
            Ok(self.items.borrow_mut().remove(item.user()).is_some())
        }
    }

    fn item() -> Item {
        Item::named("key").expect("a valid name")
    }

    fn read(items: &TinyKeychain) -> Option<Vec<u8>> {
        get(items, &item()).expect("readable").map(|secret| secret.to_vec())
    }

    #[test]
    fn secrets_of_every_length_round_trip_without_stale_parts() {
        let items = TinyKeychain::new();
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
    fn a_secret_that_looks_like_a_manifest_round_trips() {
        let items = TinyKeychain::new();
        for secret in [&b"usher-parts:"[..], br#"usher-parts:{"slot":"a","parts":1,"sha256":""}"#] {
            put(&items, &item(), secret).expect("written");
            assert_eq!(read(&items).as_deref(), Some(secret));
        }
    }

    #[test]
    fn an_interrupted_write_leaves_the_old_or_the_new_value() {
        for (old, new) in [(5, 70), (60, 70), (100, 70), (100, 5), (20, 16), (30, 100)] {
            let (old, new) = (vec![b'o'; old], vec![b'n'; new]);
            let mut is_complete = false;
            for allowed in 0.. {
                let items = TinyKeychain::new();
                put(&items, &item(), &old).expect("written");
                items.changes_left.set(allowed);
                let outcome = put(&items, &item(), &new);
                let stored = read(&items);
                assert_eq!(
                    stored.as_ref(),
                    Some(if outcome.is_ok() { &new } else { &old }),
                    "{allowed} changes"
                );
                is_complete = items.changes_left.get() > 0;
                if is_complete {
                    break;
                }
            }
            assert!(is_complete);
        }
    }

    #[test]
    fn a_secret_is_removed_even_if_its_parts_are_not() {
        let items = TinyKeychain::new();
        put(&items, &item(), &[b'x'; 40]).expect("written");
        items.changes_left.set(1);
        assert!(remove(&items, &item()).expect("the item itself is removed"));
        assert_eq!(read(&items), None);
        items.changes_left.set(usize::MAX);
        assert!(!remove(&items, &item()).expect("nothing there"));
        assert_eq!(items.names(), Vec::<String>::new());
    }

    #[test]
    fn the_next_write_removes_the_parts_of_an_interrupted_write() {
        for (first, second, third) in [(5, 70, 5), (100, 70, 20), (100, 5, 5), (70, 100, 40), (5, 100, 0)] {
            for allowed in 0..16 {
                let items = TinyKeychain::new();
                put(&items, &item(), &vec![b'1'; first]).expect("written");
                items.changes_left.set(allowed);
                put(&items, &item(), &vec![b'2'; second]).ok();
                items.changes_left.set(allowed / 2);
                remove(&items, &item()).ok();
                items.changes_left.set(usize::MAX);
                if third > 0 {
                    put(&items, &item(), &vec![b'3'; third]).expect("written");
                } else {
                    remove(&items, &item()).expect("removed");
                }
                let parts = if third > 16 { third.div_ceil(16) } else { 0 };
                let expected = if third > 0 { 1 + parts } else { 0 };
                assert_eq!(items.names().len(), expected, "{allowed} changes: {:?}", items.names());
            }
        }
    }

    #[test]
    fn a_secret_with_missing_or_foreign_parts_is_corrupt() {
        let items = TinyKeychain::new();
        put(&items, &item(), &[b'x'; 40]).expect("written");
        let part = item().part('a', 1);
        items.write(&part, b"foreign").expect("written");
        assert!(matches!(get(&items, &item()), Err(Error::Corrupt { .. })));
        items.remove(&part).expect("removed");
        assert!(matches!(get(&items, &item()), Err(Error::Corrupt { .. })));
        items.write(&item(), b"usher-parts:{}").expect("written");
        assert!(matches!(get(&items, &item()), Err(Error::Corrupt { .. })));
        // A new write repairs the secret.
        put(&items, &item(), b"new").expect("written");
        assert_eq!(read(&items), Some(b"new".to_vec()));
    }
}
