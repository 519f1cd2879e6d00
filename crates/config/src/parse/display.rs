//! Parses the settings that only affect how a server is shown: `title`, `description` and `icon`.

use jsonc_parser::ast::ObjectProp;

use super::reader::Reader;
use crate::catalogue::catalogue;
use crate::display::display_text;

const MAX_TITLE_CHARS: usize = 100;
const MAX_DESCRIPTION_CHARS: usize = 500;
/// Enough for an emoji that is composed of several characters.
const MAX_ICON_CHARS: usize = 8;

pub(crate) fn read_title(reader: &mut Reader<'_>, entry: &ObjectProp<'_>) -> Option<String> {
    read_text(reader, entry, MAX_TITLE_CHARS)
}

pub(crate) fn read_description(reader: &mut Reader<'_>, entry: &ObjectProp<'_>) -> Option<String> {
    read_text(reader, entry, MAX_DESCRIPTION_CHARS)
}

/// Reads a text that is shown. A text without visible characters counts as missing.
fn read_text(reader: &mut Reader<'_>, entry: &ObjectProp<'_>, max_chars: usize) -> Option<String> {
    let text = display_text(&reader.string(entry)?, max_chars);
    if text.is_empty() {
        reader.warn(&entry.value, format!("`{}` is empty", entry.name.as_str()), "Remove it.");
    }
    Some(text).filter(|text| !text.is_empty())
}

/// Reads the slug of a service in the catalogue, or a text of a few characters.
pub(crate) fn read_icon(reader: &mut Reader<'_>, entry: &ObjectProp<'_>) -> Option<String> {
    let written = reader.string(entry)?;
    if catalogue().iter().any(|service| service.slug == written) {
        return Some(written);
    }
    let text = display_text(&written, usize::MAX);
    if text.is_empty() || written.chars().count() > MAX_ICON_CHARS {
        let hint =
            "Write an emoji, up to 8 letters, or the name of a service in the gallery, such as notion.";
        reader.warn(&entry.value, "`icon` is not used", hint);
        return None;
    }
    Some(text)
}
