//! Parses JSON with comments, and explains syntax errors.

use jsonc_parser::ast::Value;
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, ParseStringErrorKind, parse_to_ast};

use crate::Diagnostic;
use crate::text::problem;

/// Returns options that allow comments and trailing commas. Everything else is strict JSON, because other programs read
/// the file too.
pub(crate) fn options() -> ParseOptions {
    ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

/// Returns the root value, or `None` if the text has only whitespace and comments.
pub(crate) fn parse(text: &str) -> Result<Option<Value<'_>>, Diagnostic> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options());
    parsed.map(|parsed| parsed.value).map_err(|error| {
        let (message, hint) = message_and_hint(error.kind());
        problem(text, error.range().start, &message, hint)
    })
}

fn message_and_hint(kind: &ParseErrorKind) -> (String, Option<&'static str>) {
    use ParseErrorKind as Kind;
    let (message, hint) = match kind {
        Kind::ExpectedComma => ("missing comma", "Put a `,` between entries."),
        Kind::ExpectedColonAfterObjectKey => {
            ("missing colon after the name", "Write entries as \"name\": value.")
        }
        Kind::ExpectedObjectValue => ("missing value", "Write entries as \"name\": value."),
        Kind::ExpectedStringObjectProperty | Kind::UnexpectedTokenInObject => {
            ("expected a name in double quotes", "Write entries as \"name\": value.")
        }
        Kind::UnexpectedCloseBrace => {
            ("unexpected `}`", "Add the missing value or `]` before it, or remove it.")
        }
        Kind::UnexpectedCloseBracket => {
            ("unexpected `]`", "Add the missing value or `}` before it, or remove it.")
        }
        Kind::UnexpectedColon => ("unexpected colon", "Write entries as \"name\": value."),
        Kind::UnexpectedComma => ("unexpected comma", "Remove it, or add the missing value before it."),
        Kind::UnexpectedWord => {
            ("unexpected word", "Put text in double quotes. Only true, false and null need no quotes.")
        }
        Kind::UnexpectedToken => ("unexpected character", "Put text in double quotes."),
        Kind::UnterminatedArray => ("this `[` is never closed", "Add the missing `]`."),
        Kind::UnterminatedObject => ("this `{` is never closed", "Add the missing `}`."),
        Kind::UnterminatedCommentBlock => ("this comment is never closed", "Add the missing `*/`."),
        Kind::String(ParseStringErrorKind::UnterminatedStringLiteral) => {
            ("this text has no closing quote", "End the text with `\"` on the same line.")
        }
        Kind::String(_) => ("invalid escape sequence", "Write a backslash as `\\\\`, as in \"C:\\\\Tools\"."),
        Kind::SingleQuotedStringsNotAllowed => ("text must be in double quotes", "Replace `'` with `\"`."),
        Kind::MultipleRootJsonValues => {
            ("unexpected text after the end of the object", "Remove it, or an extra `}` before it.")
        }
        Kind::NestingDepthExceeded => ("too many nested levels", "Check that this is the right file."),
        Kind::BareDecimalPointNumbersNotAllowed
        | Kind::ExpectedDigit
        | Kind::ExpectedDigitFollowingNegativeSign
        | Kind::ExpectedPlusMinusOrDigitInNumberLiteral
        | Kind::HexadecimalNumbersNotAllowed
        | Kind::NonFiniteNumbersNotAllowed
        | Kind::UnaryPlusNumbersNotAllowed => ("invalid number", "Put text in double quotes."),
        // The parser never reports these: the options allow comments and trailing commas, and only the parser's serde
        // support uses `Custom`.
        Kind::CommentsNotAllowed | Kind::TrailingCommasNotAllowed | Kind::Custom(_) => {
            return (kind.to_string(), None);
        }
    };
    (message.to_owned(), Some(hint))
}
