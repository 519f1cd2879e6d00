//! For any file: reading never panics, and an edit changes one entry and nothing else.

use std::fs;

use proptest::prelude::*;
use url::Url;
use usher_config::{Config, ConfigFile, Environment, NewServer, display_text};

fn file(folder: &tempfile::TempDir, bytes: &[u8]) -> ConfigFile {
    let path = folder.path().join("mcp.json");
    fs::write(&path, bytes).expect("written");
    ConfigFile::new(path, Environment::default())
}

/// Space and comments between tokens. A line comment brings its line end along.
fn gap() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => Just(String::new()),
        3 => Just(" ".to_owned()),
        2 => Just("\n  ".to_owned()),
        1 => Just("\t".to_owned()),
        1 => "[a-z{}\":,]{0,8}".prop_map(|text| format!("/* {text} */")),
        1 => "[a-z{}\":,]{0,8}".prop_map(|text| format!("// {text}\n")),
    ];
    prop::collection::vec(piece, 0..3).prop_map(|pieces| pieces.concat())
}

fn unknown() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("1.50".to_owned()),
        Just("null".to_owned()),
        Just("\"\\u0041b\"".to_owned()),
        Just("[1, {\"x\": []},]".to_owned()),
        Just("{ /* inside */ \"y\": true }".to_owned()),
    ]
}

/// The text of one server's value.
fn server() -> impl Strategy<Value = String> {
    (gap(), gap(), prop::option::of(unknown()), prop::option::of(any::<bool>()), any::<bool>()).prop_map(
        |(before, between, unknown, disabled, trailing)| {
            let mut fields =
                vec!["\"type\": \"http\"".to_owned(), "\"url\": \"https://a.example\"".to_owned()];
            fields.extend(unknown.map(|value| format!("\"timeout\":{value}")));
            fields.extend(disabled.map(|value| format!("\"disabled\" :{value}")));
            let comma = if trailing { "," } else { "" };
            format!("{{{before}{}{between}{comma}}}", fields.join(&format!(",{between}")))
        },
    )
}

#[derive(Clone, Debug)]
struct Written {
    text: String,
    /// The servers' names in order, with their values as written.
    servers: Vec<(String, String)>,
    /// The other top-level values as written.
    others: Vec<String>,
    /// What may go with each server: its value and the space around it, up to its neighbours.
    surroundings: Vec<String>,
}

fn written() -> impl Strategy<Value = Written> {
    (
        prop::collection::vec((gap(), server(), gap()), 1..5),
        prop::collection::vec((gap(), unknown()), 0..3),
        (gap(), gap(), gap()),
        any::<(bool, bool, bool)>(),
    )
        .prop_map(|(servers, others, (head, inner, tail), (trailing, windows, bom))| {
            let entries: Vec<String> = servers
                .iter()
                .enumerate()
                .map(|(index, (before, value, after))| format!("{before}\"s{index}\":{value}{after}"))
                .collect();
            let comma = if trailing { "," } else { "" };
            let before: String = others
                .iter()
                .enumerate()
                .map(|(index, (gap, value))| format!("{gap}\"o{index}\": {value},"))
                .collect();
            let mut text = format!(
                "{head}{{{before}{inner}\"mcpServers\": {{{}{comma}{tail}}}}}{head}",
                entries.join(",")
            );
            let line_ends = |text: &str| if windows { text.replace('\n', "\r\n") } else { text.to_owned() };
            text = line_ends(&text);
            if bom {
                text.insert(0, '\u{feff}');
            }
            let next = |index: usize| servers.get(index + 1).map_or(&tail, |(before, _, _)| before);
            let surroundings = (servers.iter().enumerate())
                .map(|(index, (before, value, after))| {
                    [before, value, after, next(index)].map(|text| line_ends(text)).concat()
                })
                .collect();
            Written {
                text,
                surroundings,
                servers: (servers.iter().enumerate())
                    .map(|(index, (_, value, _))| (format!("s{index}"), line_ends(value)))
                    .collect(),
                others: others.into_iter().map(|(_, value)| line_ends(&value)).collect(),
            }
        })
}

/// The parts occur in the text, one after the other.
fn in_order<'a>(text: &str, parts: impl IntoIterator<Item = &'a str>) -> Result<(), TestCaseError> {
    let mut rest = text;
    for part in parts {
        let at = rest.find(part);
        prop_assert!(at.is_some(), "{part:?} is missing or out of place in {text:?}");
        rest = &rest[at.unwrap_or_default() + part.len()..];
    }
    Ok(())
}

/// Comments in order of appearance. Texts in these files hold nothing that looks like one.
fn comments(text: &str) -> Vec<String> {
    let mut comments = Vec::new();
    let mut rest = text;
    while let Some(at) = [rest.find("/*"), rest.find("//")].into_iter().flatten().min() {
        if rest[..at].ends_with("https:") {
            rest = &rest[at + 2..];
            continue;
        }
        let comment = &rest[at..];
        let end = if comment.starts_with("/*") {
            comment.find("*/").map_or(comment.len(), |end| end + 2)
        } else {
            comment.find(['\r', '\n']).unwrap_or(comment.len())
        };
        comments.push(comment[..end].to_owned());
        rest = &comment[end..];
    }
    comments
}

fn names(config: &Config) -> Vec<&str> {
    config.servers.iter().map(|server| server.name.as_str()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = file(&folder, &bytes);
        let _ = file.check();
        let _ = file.load();
        let _ = file.add("a", &NewServer::http(Url::parse("https://a.example").expect("an address")));
    }

    #[test]
    fn any_json_like_text_is_read_without_panic(
        text in r#"[\{\}\[\]:,"\\/* \n]{0,20}(mcpServers|url|https://|\$\{A\}|\{\{b\}\}|null|[0-9.eE+-])?[\{\}\[\]:,"\\/* \n]{0,20}"#
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = file(&folder, text.as_bytes());
        let _ = file.check();
        let broken = file.load().is_err();
        let _ = file.remove("a");
        if broken {
            prop_assert_eq!(fs::read(file.path()).expect("readable"), text.as_bytes());
        }
    }

    #[test]
    fn adding_keeps_every_token(written in written()) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = file(&folder, written.text.as_bytes());
        let before = file.load().expect("valid");
        let config = file.add("new", &NewServer::http(Url::parse("https://n.example").expect("an address")));
        let config = config.expect("added");
        let after = fs::read_to_string(file.path()).expect("readable");
        let values = written.others.iter().chain(written.servers.iter().map(|(_, value)| value));
        in_order(&after, values.map(String::as_str))?;
        prop_assert_eq!(comments(&after), comments(&written.text));
        prop_assert_eq!(&config.servers[..config.servers.len() - 1], &before.servers[..]);
        prop_assert_eq!(after.starts_with('\u{feff}'), written.text.starts_with('\u{feff}'));
    }

    #[test]
    fn removing_takes_one_entry_and_its_own_comments(written in written(), pick in any::<prop::sample::Index>()) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = file(&folder, written.text.as_bytes());
        let before = file.load().expect("valid");
        let removed = pick.index(written.servers.len());
        let config = file.remove(&format!("s{removed}")).expect("removed");
        let after = fs::read_to_string(file.path()).expect("readable");
        let mut servers = written.servers.clone();
        servers.remove(removed);
        let values = written.others.iter().chain(servers.iter().map(|(_, value)| value));
        in_order(&after, values.map(String::as_str))?;
        let (old, new) = (comments(&written.text), comments(&after));
        let own = comments(&written.surroundings[removed]);
        let count = |comments: &[String], comment: &String| comments.iter().filter(|other| *other == comment).count();
        for comment in &old {
            let lost = count(&old, comment).saturating_sub(count(&new, comment));
            prop_assert!(lost <= count(&own, comment), "{comment:?} went too in {after:?}");
        }
        let mut kept = before.servers.clone();
        kept.remove(removed);
        prop_assert_eq!(&config.servers, &kept);
    }

    #[test]
    fn disabling_changes_one_word(written in written(), pick in any::<prop::sample::Index>(), disabled: bool) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = file(&folder, written.text.as_bytes());
        let mut before = file.load().expect("valid");
        let picked = pick.index(written.servers.len());
        let config = file.set_disabled(&format!("s{picked}"), disabled).expect("changed");
        let after = fs::read_to_string(file.path()).expect("readable");
        prop_assert_eq!(comments(&after), comments(&written.text));
        before.servers[picked].disabled = disabled;
        prop_assert_eq!(names(&config), names(&before));
        prop_assert_eq!(&config.servers, &before.servers);
    }

    #[test]
    fn displayed_text_has_no_control_character_and_fits(text in any::<String>(), max in 0usize..40) {
        let shown = display_text(&text, max);
        prop_assert!(shown.chars().count() <= max);
        prop_assert!(!shown.chars().any(|character| character.is_control()));
        prop_assert_eq!(display_text(&shown, max), shown);
    }
}
