//! Secrets longer than one item may be: parts first, then a manifest in the secret's own place.
//!
//! Parts lie in one of two slots, `a` and `b`. A new value goes to the slot that the manifest in force does
//! not name, and only then is the manifest replaced: a write that was torn leaves the old value whole. The
//! manifest's digest refuses parts that do not belong together. What a torn write left goes with the next one: parts
//! are written upwards and removed downwards, so that those of a slot always begin with the first.

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
    /// Whether it is there, without its secret.
    fn has(&self, item: &Item) -> Result<bool, Error>;
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
    let in_force = if secret.len() <= I::LIMIT && !secret.starts_with(MARK) {
        items.write(item, secret)?;
        None
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
        Some(manifest)
    };
    sweep_up(items, item, in_force.as_ref());
    Ok(())
}

/// Removes the secret: first the item, so that from then on there is none, then its parts.
pub(crate) fn remove<I: Items>(items: &I, item: &Item) -> Result<bool, Error> {
    let removed = items.remove(item)?;
    sweep_up(items, item, None);
    Ok(removed)
}

/// What was asked for is done, and what is left of older values is only litter: the next write or removal tries again.
fn sweep_up<I: Items>(items: &I, item: &Item, in_force: Option<&Manifest>) {
    if let Err(error) = sweep(items, item, in_force) {
        tracing::warn!(item = item.user(), %error, "parts of an old secret were left behind");
    }
}

/// Removes the parts that the manifest in force does not name.
fn sweep<I: Items>(items: &I, item: &Item, in_force: Option<&Manifest>) -> Result<(), Error> {
    for slot in ['a', 'b'] {
        let kept = in_force.filter(|manifest| manifest.slot == slot).map_or(0, |manifest| manifest.parts);
        let mut end = kept;
        while end < MOST_PARTS && items.has(&item.part(slot, end))? {
            end += 1;
        }
        for index in (kept..end).rev() {
            items.remove(&item.part(slot, index))?;
        }
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

    /// A keychain of tiny items that fails after a number of changes.
    struct Tiny {
        items: RefCell<BTreeMap<String, Vec<u8>>>,
        changes_left: Cell<usize>,
    }

    impl Tiny {
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

    impl Items for Tiny {
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
    fn a_torn_write_leaves_one_of_the_two_values() {
        for (old, new) in [(5, 70), (60, 70), (100, 70), (100, 5), (20, 16), (30, 100)] {
            let (old, new) = (vec![b'o'; old], vec![b'n'; new]);
            let mut was_whole = false;
            for allowed in 0.. {
                let items = Tiny::new();
                put(&items, &item(), &old).expect("written");
                items.changes_left.set(allowed);
                let outcome = put(&items, &item(), &new);
                let kept = read(&items);
                assert_eq!(
                    kept.as_ref(),
                    Some(if outcome.is_ok() { &new } else { &old }),
                    "{allowed} changes"
                );
                was_whole = items.changes_left.get() > 0;
                if was_whole {
                    break;
                }
            }
            assert!(was_whole);
        }
    }

    #[test]
    fn a_secret_whose_parts_stay_is_gone_all_the_same() {
        let items = Tiny::new();
        put(&items, &item(), &[b'x'; 40]).expect("written");
        items.changes_left.set(1);
        assert!(remove(&items, &item()).expect("the item itself is removed"));
        assert_eq!(read(&items), None);
        items.changes_left.set(usize::MAX);
        assert!(!remove(&items, &item()).expect("nothing there"));
        assert_eq!(items.names(), Vec::<String>::new());
    }

    #[test]
    fn what_a_torn_write_or_removal_left_goes_with_the_next() {
        for (first, second, third) in [(5, 70, 5), (100, 70, 20), (100, 5, 5), (70, 100, 40), (5, 100, 0)] {
            for allowed in 0..16 {
                let items = Tiny::new();
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
