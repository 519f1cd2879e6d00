//! Sanitises untrusted text for display.

/// Removes characters that could deceive a terminal or a reader: C0 and C1 controls, escape sequences, bidi
/// controls, zero-width and other invisible characters. Whitespace is collapsed into single spaces. Text longer
/// than `max_chars` is cut and ends with `…`.
pub fn display_text(text: &str, max_chars: usize) -> String {
    let kept: String = without_escapes(text).chars().filter(|&character| !is_deceptive(character)).collect();
    let shown = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    // The position of the ellipsis, if the text is too long.
    let Some(end) = max_chars.checked_sub(1).and_then(|last| shown.char_indices().nth(last)) else {
        return if max_chars == 0 { String::new() } else { shown };
    };
    if shown[end.0..].chars().nth(1).is_none() {
        return shown;
    }
    format!("{}…", shown[..end.0].trim_end())
}

/// Shows a text completely, for a decision about it. Only characters that [`display_text`] removes or replaces are written
/// as escapes, such as `\n` or `\u{200b}`.
pub fn exact_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character == ' ' || !(character.is_whitespace() || is_deceptive(character)) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    shown
}

/// Removes complete ECMA-48 sequences (`ESC [ … m`, `ESC ] … BEL`, and their C1 forms), so that their
/// parameters do not appear as text.
fn without_escapes(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let introducer = match character {
            '\u{1b}' => match characters.peek() {
                Some(&next @ ('[' | ']' | 'P' | 'X' | '^' | '_')) => {
                    characters.next();
                    next
                }
                // A two-character sequence: intermediates, then one final character.
                Some(_) => {
                    while characters.next_if(|next| (' '..='/').contains(next)).is_some() {}
                    characters.next_if(|next| ('0'..='~').contains(next));
                    continue;
                }
                None => continue,
            },
            '\u{9b}' => '[',
            '\u{9d}' => ']',
            '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}' => 'P',
            other => {
                kept.push(other);
                continue;
            }
        };
        if introducer == '[' {
            while characters.next_if(|next| (' '..='?').contains(next)).is_some() {}
            characters.next_if(|next| ('@'..='~').contains(next));
        } else {
            skip_string(&mut characters);
        }
    }
    kept
}

/// Skips a control string, which ends with BEL or ST. If the terminator is missing, it ends at the end of the line.
fn skip_string(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(next) = characters.next_if(|next| *next != '\n') {
        match next {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' => {
                characters.next_if(|next| *next == '\\');
                return;
            }
            _ => {}
        }
    }
}

/// Whether [`display_text`] removes a character.
pub(crate) fn is_deceptive(character: char) -> bool {
    let shown_as_space = matches!(character, '\t' | '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
    (character.is_control() && !shown_as_space)
        || matches!(
            character,
            // Soft hyphen, combining grapheme joiner, Arabic letter mark, Hangul fillers.
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}'
            // Mongolian separators, zero-width characters and marks, bidi controls, invisible operators.
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            // Byte order mark, interlinear annotation, tags, musical controls.
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::display_text;

    #[test]
    fn deceptive_characters_are_removed() {
        for (text, shown) in [
            ("plain text", "plain text"),
            ("Zoë 日本語 🎉", "Zoë 日本語 🎉"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;https://evil.example\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}(0lines\u{1b}c", "lines"),
            ("\u{9b}2Jgone", "gone"),
            ("\u{9d}0;title\u{9c}x", "x"),
            ("user\u{202e}cod.exe", "usercod.exe"),
            ("a\u{200b}b\u{feff}c\u{2066}d\u{2069}e\u{ad}f", "abcdef"),
            ("nul\0bel\u{7}del\u{7f}nel\u{85}c1\u{80}", "nulbeldelnel c1"),
            ("  two\n\n lines\t\r\nhere ", "two lines here"),
            ("tag\u{e0041}\u{e007f}", "tag"),
            ("\u{1b}", ""),
            ("\u{1b}]unterminated\nnext line", "next line"),
        ] {
            assert_eq!(display_text(text, 80), shown, "{text:?}");
        }
    }

    #[test]
    fn long_text_ends_with_an_ellipsis() {
        assert_eq!(display_text("abcdef", 6), "abcdef");
        assert_eq!(display_text("abcdefg", 6), "abcde…");
        assert_eq!(display_text("abcd efgh", 6), "abcd…");
        assert_eq!(display_text("日本語日本語", 3), "日本…");
        assert_eq!(display_text("abc", 0), "");
        assert_eq!(display_text("abc   ", 3), "abc");
    }
}
