//! The rule that a doc comment begins with a noun phrase or a verb, checked by its first word.

/// The first words of doc comments that do not name the item.
const REFUSED: &[&str] =
    &["That", "What", "Whatever", "Where", "Wherever", "Which", "Whichever", "Who", "Whoever", "Whose"];

/// Returns the doc comments of a source, in Rust, TypeScript or Svelte, that begin with such a word.
pub fn refused(source: &str) -> Vec<&str> {
    let mut before = "";
    let mut found = Vec::new();
    for line in source.lines().map(str::trim_start) {
        if beginning(line, before).is_some_and(begins_badly) {
            found.push(line);
        }
        before = line;
    }
    found
}

/// The text of a line if it is the first one of a doc comment.
fn beginning<'a>(line: &'a str, before: &str) -> Option<&'a str> {
    let of_lines = ["///", "//!"].into_iter().find_map(|mark| {
        let is_first = !before.starts_with(mark);
        line.strip_prefix(mark).filter(|_| is_first)
    });
    let of_block = || line.strip_prefix("/**").or_else(|| line.strip_prefix("<!--"));
    let after_opening = || line.strip_prefix('*').filter(|_| before.trim_end() == "/**");
    of_lines.or_else(of_block).or_else(after_opening)
}

fn begins_badly(text: &str) -> bool {
    text.split_whitespace().next().is_some_and(|word| REFUSED.contains(&word))
}
