//! What the keychain store must do, one case a function.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::session::{Session, Store, outside};

type Case = fn() -> Result<()>;

pub const ALL: &[(&str, Case)] = &[
    ("a_grant_comes_back", a_grant_comes_back),
    ("other_secrets_come_back", other_secrets_come_back),
    ("secret_tool_finds_the_item", secret_tool_finds_the_item),
    ("a_damaged_item_is_corrupt_and_stays", a_damaged_item_is_corrupt_and_stays),
    ("a_locked_keyring_is_locked_and_not_empty", a_locked_keyring_is_locked_and_not_empty),
    ("what_lies_in_an_open_collection_is_not_locked", what_lies_in_an_open_collection_is_not_locked),
    ("without_a_bus_it_is_unavailable_at_once", without_a_bus_it_is_unavailable_at_once),
    ("without_a_keyring_it_is_unavailable_at_once", without_a_keyring_it_is_unavailable_at_once),
    ("a_restarted_keyring_is_found_again", a_restarted_keyring_is_found_again),
    ("a_deaf_keyring_times_out_and_old_writes_are_void", a_deaf_keyring_times_out_and_old_writes_are_void),
    ("long_secrets_are_split", long_secrets_are_split),
    ("sixteen_tasks_at_once", sixteen_tasks_at_once),
];

/// Compares an answer, with the command in the message.
fn expect(store: &mut Store, command: &str, expected: &str) -> Result<()> {
    let answer = store.say(command)?;
    ensure!(answer == expected, "`{command}` was answered with `{answer}`, not with `{expected}`");
    Ok(())
}

fn expect_all(store: &mut Store, commands: &[(&str, &str)]) -> Result<()> {
    commands.iter().try_for_each(|(command, expected)| expect(store, command, expected))
}

fn a_grant_comes_back() -> Result<()> {
    let session = Session::start()?;
    let _keyring = session.keyring()?;
    let mut store = session.store()?;
    expect_all(
        &mut store,
        &[
            ("check", "ok"),
            ("get notion", "none"),
            ("delete notion", "false"),
            ("put notion first 40", "ok"),
            ("get notion", "first 40"),
            ("put notion second 50", "ok"),
            ("delete-if notion first", "false"),
            ("get notion", "second 50"),
        ],
    )?;
    // Another run finds it.
    let mut store = session.store()?;
    expect_all(
        &mut store,
        &[
            ("get notion", "second 50"),
            ("get linear", "none"),
            ("delete-if notion second", "true"),
            ("get notion", "none"),
            ("put notion third 60", "ok"),
            ("delete notion", "true"),
            ("get notion", "none"),
        ],
    )
}

fn other_secrets_come_back() -> Result<()> {
    let session = Session::start()?;
    let _keyring = session.keyring()?;
    let mut store = session.store()?;
    expect_all(
        &mut store,
        &[
            ("list-named", ""),
            ("put-named b hunter2", "ok"),
            ("put-named a.c hunter3", "ok"),
            ("put notion first 4000", "ok"),
            ("list-named", "a.c b"),
            ("get-named b", "hunter2"),
            ("get-named c", "none"),
            ("delete-named b", "true"),
            ("delete-named b", "false"),
            ("list-named", "a.c"),
            ("client hunter4", "hunter4 true true"),
            ("pending hunter5", "hunter5 true"),
        ],
    )
}

fn secret_tool_finds_the_item() -> Result<()> {
    let session = Session::start()?;
    let _keyring = session.keyring()?;
    let mut store = session.store()?;
    expect(&mut store, "put notion first 10", "ok")?;
    let found = session.secret_tool(&["search", "--all", "service", "dev.usher.desktop"])?;
    for part in ["label = Usher: notion\n", "username = grant:notion\n", "\"refresh_token\":\"first\""] {
        ensure!(found.contains(part), "{part} is not in {found}");
    }
    let lookup =
        session.secret_tool(&["lookup", "service", "dev.usher.desktop", "username", "grant:notion"])?;
    ensure!(lookup.starts_with("{\"version\":1,\"access_token\":\"xxxxxxxxxx\""), "{lookup}");
    Ok(())
}

fn a_damaged_item_is_corrupt_and_stays() -> Result<()> {
    let session = Session::start()?;
    let _keyring = session.keyring()?;
    let mut store = session.store()?;
    expect(&mut store, "put notion first 10", "ok")?;
    let attributes = ["service", "dev.usher.desktop", "username", "grant:notion"];
    let mut replace = session.command("sh");
    replace.args(["-c", "printf damaged | secret-tool store --label=x \"$@\"", "sh"]).args(attributes);
    ensure!(replace.status()?.success(), "secret-tool stored nothing");
    expect_all(&mut store, &[("get notion", "corrupt"), ("delete-if notion first", "false")])?;
    let lookup = session.secret_tool(&[&["lookup"], &attributes[..]].concat())?;
    ensure!(lookup == "damaged", "{lookup}");
    // Signing in anew heals it.
    expect_all(&mut store, &[("put notion second 10", "ok"), ("get notion", "second 10")])
}

fn a_locked_keyring_is_locked_and_not_empty() -> Result<()> {
    let session = Session::start()?;
    let keyring = session.keyring()?;
    let mut store = session.store()?;
    expect(&mut store, "put notion first 10", "ok")?;
    session.lock()?;
    let begun = Instant::now();
    let mut fresh = session.store()?;
    for store in [&mut store, &mut fresh] {
        expect_all(
            store,
            &[
                ("check", "locked"),
                ("get notion", "locked"),
                ("get never-signed-in", "locked"),
                ("put notion second 10", "locked"),
                ("put other second 10", "locked"),
                ("delete notion", "locked"),
                ("list-named", "locked"),
            ],
        )?;
    }
    ensure!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
    // Unlocked again (here by a keyring that starts with the password), all is as it was.
    drop(keyring);
    let _keyring = session.keyring()?;
    expect_all(&mut store, &[("check", "ok"), ("get notion", "first 10"), ("get other", "none")])
}

/// The collection for new items may be another one than the sign-ins lie in, and locked.
fn what_lies_in_an_open_collection_is_not_locked() -> Result<()> {
    let session = Session::start()?;
    let _keyring = session.keyring()?;
    let mut store = session.store()?;
    session.make_default("session")?;
    expect(&mut store, "put notion first 10", "ok")?;
    session.make_default("login")?;
    session.lock()?;
    expect_all(
        &mut store,
        &[
            ("check", "locked"),
            ("get never-signed-in", "locked"),
            ("get notion", "first 10"),
            ("put notion second 10", "ok"),
            ("get notion", "second 10"),
            ("delete notion", "true"),
        ],
    )
}

fn without_a_bus_it_is_unavailable_at_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let exe = std::env::current_exe()?;
    let mut nowhere = outside(&exe, folder.path());
    nowhere.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}/bus", folder.path().display()));
    for command in [outside(&exe, folder.path()), nowhere] {
        let mut store = Store::start(command)?;
        let begun = Instant::now();
        expect_all(&mut store, &[("check", "unavailable"), ("get notion", "unavailable")])?;
        expect_all(&mut store, &[("put notion first 10", "unavailable"), ("list-named", "unavailable")])?;
        ensure!(begun.elapsed() < Duration::from_secs(2), "it took {:?}", begun.elapsed());
    }
    Ok(())
}

fn without_a_keyring_it_is_unavailable_at_once() -> Result<()> {
    let session = Session::start()?;
    let mut store = session.store()?;
    let begun = Instant::now();
    expect_all(&mut store, &[("check", "unavailable"), ("get notion", "unavailable")])?;
    ensure!(begun.elapsed() < Duration::from_secs(2), "it took {:?}", begun.elapsed());
    // One that starts later is found.
    let _keyring = session.keyring()?;
    expect_all(&mut store, &[("check", "ok"), ("put notion first 10", "ok")])
}

fn a_restarted_keyring_is_found_again() -> Result<()> {
    let session = Session::start()?;
    let keyring = session.keyring()?;
    let mut store = session.store()?;
    expect(&mut store, "put notion first 10", "ok")?;
    drop(keyring);
    expect_all(&mut store, &[("get notion", "unavailable"), ("delete notion", "unavailable")])?;
    let keyring = session.keyring()?;
    expect_all(&mut store, &[("get notion", "first 10"), ("put notion second 10", "ok")])?;
    // Also when nobody asked while it was away.
    drop(keyring);
    let _keyring = session.keyring()?;
    expect_all(&mut store, &[("put notion third 10", "ok"), ("get notion", "third 10")])
}

fn a_deaf_keyring_times_out_and_old_writes_are_void() -> Result<()> {
    let session = Session::start()?;
    let keyring = session.keyring()?;
    let mut store = session.store()?;
    expect(&mut store, "put notion first 10", "ok")?;
    keyring.stop()?;
    let begun = Instant::now();
    expect(&mut store, "put notion old 10", "timed out")?;
    let waited = begun.elapsed();
    ensure!((4..8).contains(&waited.as_secs()), "it waited {waited:?}");
    expect(&mut store, "delete notion", "timed out")?;
    keyring.go_on()?;
    expect_all(&mut store, &[("get notion", "first 10"), ("put notion new 10", "ok"), ("check", "ok")])?;
    expect(&mut store, "get notion", "new 10")?;
    // A thread that still waits does not keep the program from ending.
    keyring.stop()?;
    expect(&mut store, "get notion", "timed out")?;
    let ending = store.end()?;
    ensure!(ending < Duration::from_secs(2), "it took {ending:?} to end");
    Ok(())
}

fn long_secrets_are_split() -> Result<()> {
    let session = Session::start()?;
    let _keyring = session.keyring()?;
    let mut store = session.store()?;
    let items = || -> Result<usize> {
        let found = session.secret_tool(&["search", "--all", "service", "dev.usher.desktop"])?;
        for secret in found.lines().filter_map(|line| line.strip_prefix("secret = ")) {
            ensure!(secret.len() <= 2_560, "an item has {} bytes", secret.len());
        }
        Ok(found.matches("label = Usher: notion").count())
    };
    for (length, count) in [(9_000, 5), (20_000, 9), (10, 1), (2_500, 3)] {
        expect(&mut store, &format!("put notion first {length}"), "ok")?;
        expect(&mut store, "get notion", &format!("first {length}"))?;
        let found = items()?;
        ensure!(found == count, "{length} bytes became {found} items, not {count}");
    }
    expect_all(&mut store, &[("delete notion", "true"), ("get notion", "none")])?;
    ensure!(items()? == 0, "parts were left behind");
    Ok(())
}

fn sixteen_tasks_at_once() -> Result<()> {
    let session = Session::start()?;
    let _keyring = session.keyring()?;
    expect(&mut session.store()?, "crowd 16", "16 done")
}
