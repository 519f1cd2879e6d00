//! Sanitising of a server's names and descriptions. Control characters are removed; markup is not.

use usher_budgets as budgets;
use usher_config::display_text;

/// Sanitises a name or title for one line.
pub(crate) fn name(text: &str) -> String {
    display_text(text, budgets::NAME_CHARACTERS)
}

/// Sanitises a description. Line breaks and indentation stay, because markdown needs them.
pub(crate) fn description(text: &str) -> String {
    let mut cleaned = String::new();
    for line in text.lines() {
        let indent =
            line.chars().take_while(|character| *character == ' ').count().min(budgets::DESCRIPTION_INDENT);
        let rest = budgets::DESCRIPTION_CHARACTERS.saturating_sub(cleaned.len());
        if rest == 0 {
            cleaned.push('…');
            break;
        }
        // A line that is too long is cut, not left out, because it may be the only one.
        let line = display_text(line, rest);
        if !cleaned.is_empty() {
            cleaned.push('\n');
        }
        cleaned.extend(std::iter::repeat_n(' ', indent));
        cleaned.push_str(&line);
    }
    cleaned
}
