//! The line ends of a text: `\n`, `\r\n` or `\r`, also mixed.

use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

/// The time for comparing the lines of a text with mixed line ends. After it, fewer equal lines are found.
const DIFF_TIME: Duration = Duration::from_secs(1);

/// Returns the text with `\n` at the end of each line.
pub(crate) fn with_newlines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Returns the first line end of the text, or `\n`.
pub(crate) fn first(text: &str) -> &str {
    lines(text).next().map(|(_, end)| end).filter(|end| !end.is_empty()).unwrap_or("\n")
}

/// Returns the text with the line ends of `old`. A line that is unchanged, or has another text, keeps its own. A new line
/// gets that of the line before it, or `first`.
pub(crate) fn with_ends_of(old: &str, text: &str, first: &str) -> String {
    let text = with_newlines(text);
    let (old, new): (Vec<_>, Vec<_>) = (lines(old).collect(), text.split('\n').collect());
    let mut kept = vec![None; new.len()];
    let (_, ends) = old.split_last().unwrap_or((&("", ""), &[]));
    if ends.iter().any(|(_, end)| *end != first) {
        let contents: Vec<_> = old.iter().map(|(content, _)| *content).collect();
        let deadline = Some(Instant::now() + DIFF_TIME);
        for part in capture_diff_slices_deadline(Algorithm::Myers, &contents, &new, deadline) {
            let (old_index, new_index, len) = match part {
                DiffOp::Equal { old_index, new_index, len } => (old_index, new_index, len),
                DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                    (old_index, new_index, old_len.min(new_len))
                }
                DiffOp::Delete { .. } | DiffOp::Insert { .. } => continue,
            };
            for offset in 0..len {
                kept[new_index + offset] = Some(old[old_index + offset].1).filter(|end| !end.is_empty());
            }
        }
    }
    let mut output = String::with_capacity(text.len() + new.len());
    let mut end = first;
    for (index, (line, kept)) in new.iter().zip(kept).enumerate() {
        output.push_str(line);
        end = kept.unwrap_or(end);
        if index + 1 < new.len() {
            output.push_str(end);
        }
    }
    output
}

/// Returns each line with its end, which only the last one lacks.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(at) = text.find(['\n', '\r']) else {
            rest = None;
            return Some((text, ""));
        };
        let next = at + if text[at..].starts_with("\r\n") { 2 } else { 1 };
        rest = Some(&text[next..]);
        Some((&text[..at], &text[at..next]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_ends() {
        let old = "a\nb\r\nc\rd\ne";
        for (text, expected) in [
            ("a\nb\nc\nd\ne", old),
            ("a\nB\nc\nd\ne", "a\nB\r\nc\rd\ne"),
            ("a\nb\nnew\nc\nd\ne\n", "a\nb\r\nnew\r\nc\rd\ne\n"),
            ("new\nb\nd", "new\nb\r\nd"),
            ("", ""),
        ] {
            assert_eq!(with_ends_of(old, text, "\n"), expected);
        }
        assert_eq!(with_ends_of("a\r\nb", "x\ny\nb\n", first("a\r\nb")), "x\r\ny\r\nb\r\n");
        assert_eq!(with_ends_of("{}", "{\n}", "\r\n"), "{\r\n}");
        assert_eq!((first(""), first("a"), first("a\rb\n")), ("\n", "\n", "\r"));
    }
}
