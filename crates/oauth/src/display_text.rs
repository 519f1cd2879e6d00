//! Sanitises untrusted text for display.

use usher_budgets as budgets;

/// Removes control, bidirectional and invisible characters, collapses whitespace and truncates to 200 characters.
pub(crate) fn display_text(text: &str) -> String {
    let visible = visible_text(text);
    if visible.chars().count() <= budgets::SHOWN_CHARACTERS {
        return visible;
    }
    visible.chars().take(budgets::SHOWN_CHARACTERS - 1).chain(['…']).collect()
}

/// Like [`display_text`], but does not truncate.
pub(crate) fn visible_text(text: &str) -> String {
    let visible: String =
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|&c| is_visible(c)).collect();
    visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Like [`display_text`], but returns `None` if nothing is left.
pub(crate) fn display_text_option(text: Option<&str>) -> Option<String> {
    text.map(display_text).filter(|text| !text.is_empty())
}

fn is_visible(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}
