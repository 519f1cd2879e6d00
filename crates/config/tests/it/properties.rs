//! Property tests: reading never panics, and an edit changes only one entry.

use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;
use url::Url;
use usher_config::{Config, ConfigFile, Environment, NewServer, display_text};

fn config_file(bytes: &[u8]) -> (TempDir, ConfigFile) {
    let folder = tempfile::tempdir().expect("temp dir");
    let path = folder.path().join("mcp.json");
    fs::write(&path, bytes).expect("write file");
    (folder, ConfigFile::new(path, Environment::default()))
}

/// Whitespace and comments between tokens. A line comment includes its line ending.
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

fn unknown_value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("1.50".to_owned()),
        Just("null".to_owned()),
        Just("\"\\u0041b\"".to_owned()),
        Just("[1, {\"x\": []},]".to_owned()),
        Just("{ /* inside */ \"y\": true }".to_owned()),
    ]
}

/// The JSON text of one server, without its name.
fn server_value() -> impl Strategy<Value = String> {
    (gap(), gap(), prop::option::of(unknown_value()), prop::option::of(any::<bool>()), any::<bool>())
        .prop_map(|(before, between, unknown, disabled, trailing)| {
            let mut fields =
                vec!["\"type\": \"http\"".to_owned(), "\"url\": \"https://a.example\"".to_owned()];
            fields.extend(unknown.map(|value| format!("\"timeout\":{value}")));
            fields.extend(disabled.map(|value| format!("\"disabled\" :{value}")));
            let comma = if trailing { "," } else { "" };
            format!("{{{before}{}{between}{comma}}}", fields.join(&format!(",{between}")))
        })
}

#[derive(Clone, Debug)]
struct TestFile {
    text: String,
    /// The servers' names in order, with the text of their values.
    servers: Vec<(String, String)>,
    /// The text of the other top-level values.
    others: Vec<String>,
    /// For each server, the text that a removal may delete: the value and the gaps around it.
    removable: Vec<String>,
}

fn test_file() -> impl Strategy<Value = TestFile> {
    (
        prop::collection::vec((gap(), server_value(), gap()), 1..5),
        prop::collection::vec((gap(), unknown_value()), 0..3),
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
            let end_lines = |text: &str| if windows { text.replace('\n', "\r\n") } else { text.to_owned() };
            text = end_lines(&text);
            if bom {
                text.insert(0, '\u{feff}');
            }
            let next = |index: usize| servers.get(index + 1).map_or(&tail, |(before, _, _)| before);
            let removable = (servers.iter().enumerate())
                .map(|(index, (before, value, after))| {
                    [before, value, after, next(index)].map(|text| end_lines(text)).concat()
                })
                .collect();
            TestFile {
                text,
                removable,
                servers: (servers.iter().enumerate())
                    .map(|(index, (_, value, _))| (format!("s{index}"), end_lines(value)))
                    .collect(),
                others: others.into_iter().map(|(_, value)| end_lines(&value)).collect(),
            }
        })
}

/// Asserts that the parts occur in the text in this order.
fn assert_in_order<'a>(text: &str, parts: impl IntoIterator<Item = &'a str>) -> Result<(), TestCaseError> {
    let mut rest = text;
    for part in parts {
        let at = rest.find(part);
        prop_assert!(at.is_some(), "{part:?} is missing or out of place in {text:?}");
        rest = &rest[at.unwrap_or_default() + part.len()..];
    }
    Ok(())
}

/// Returns the comments in order. Apart from `https://`, no string in these files looks like a comment.
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
        let (_folder, config_file) = config_file(&bytes);
        let _ = config_file.check();
        let _ = config_file.load();
        let _ = config_file.text();
        let _ = config_file.add("a", &NewServer::http(Url::parse("https://a.example").expect("valid URL")));
    }

    #[test]
    fn any_json_like_text_is_read_without_panic(
        text in r#"[\{\}\[\]:,"\\/* \n]{0,20}(mcpServers|url|https://|\$\{A\}|\{\{b\}\}|null|[0-9.eE+-])?[\{\}\[\]:,"\\/* \n]{0,20}"#
    ) {
        let (_folder, config_file) = config_file(text.as_bytes());
        let _ = config_file.check();
        let _ = config_file.check_text(&text);
        let broken = config_file.load().is_err();
        let _ = config_file.remove("a");
        if broken {
            prop_assert_eq!(fs::read(config_file.path()).expect("read file"), text.as_bytes());
        }
    }

    #[test]
    fn a_saved_text_keeps_hidden_secrets_and_every_other_byte(file in test_file()) {
        let secret = r"k-\u0031";
        let headers = format!("\"headers\": {{ \"X-Key\": \"{secret}\" }}, \"type\":");
        let text = file.text.replace("\"type\":", &headers);
        let (_folder, config_file) = config_file(text.as_bytes());
        let read = config_file.text().expect("the text");
        prop_assert!(!read.text.contains(secret), "{}", read.text);
        config_file.save_text(&format!("// mine\n{}", read.text), &read.version).expect("save");
        let body = text.trim_start_matches('\u{feff}');
        let line_end = if body.contains("\r\n") { "\r\n" } else { "\n" };
        let expected = format!("{}// mine{line_end}{body}", &text[..text.len() - body.len()]);
        prop_assert_eq!(fs::read_to_string(config_file.path()).expect("read file"), expected);
    }

    #[test]
    fn adding_keeps_every_token(file in test_file()) {
        let (_folder, config_file) = config_file(file.text.as_bytes());
        let before = config_file.load().expect("valid config");
        let config = config_file.add("new", &NewServer::http(Url::parse("https://n.example").expect("valid URL")));
        let config = config.expect("add server");
        let after = fs::read_to_string(config_file.path()).expect("read file");
        let values = file.others.iter().chain(file.servers.iter().map(|(_, value)| value));
        assert_in_order(&after, values.map(String::as_str))?;
        prop_assert_eq!(comments(&after), comments(&file.text));
        prop_assert_eq!(&config.servers[..config.servers.len() - 1], &before.servers[..]);
        prop_assert_eq!(after.starts_with('\u{feff}'), file.text.starts_with('\u{feff}'));
    }

    #[test]
    fn removing_deletes_one_entry_and_its_own_comments(file in test_file(), pick in any::<prop::sample::Index>()) {
        let (_folder, config_file) = config_file(file.text.as_bytes());
        let before = config_file.load().expect("valid config");
        let removed = pick.index(file.servers.len());
        let config = config_file.remove(&format!("s{removed}")).expect("remove");
        let after = fs::read_to_string(config_file.path()).expect("read file");
        let mut servers = file.servers.clone();
        servers.remove(removed);
        let values = file.others.iter().chain(servers.iter().map(|(_, value)| value));
        assert_in_order(&after, values.map(String::as_str))?;
        let (old, new) = (comments(&file.text), comments(&after));
        let own = comments(&file.removable[removed]);
        let count = |comments: &[String], comment: &String| comments.iter().filter(|other| *other == comment).count();
        for comment in &old {
            let lost = count(&old, comment).saturating_sub(count(&new, comment));
            prop_assert!(lost <= count(&own, comment), "{comment:?} is missing from {after:?}");
        }
        let mut kept = before.servers.clone();
        kept.remove(removed);
        prop_assert_eq!(&config.servers, &kept);
    }

    #[test]
    fn disabling_changes_one_value(file in test_file(), pick in any::<prop::sample::Index>(), disabled: bool) {
        let (_folder, config_file) = config_file(file.text.as_bytes());
        let mut before = config_file.load().expect("valid config");
        let picked = pick.index(file.servers.len());
        let config = config_file.set_disabled(&format!("s{picked}"), disabled).expect("change server");
        let after = fs::read_to_string(config_file.path()).expect("read file");
        prop_assert_eq!(comments(&after), comments(&file.text));
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
