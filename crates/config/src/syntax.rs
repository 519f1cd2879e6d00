//! JSON with comments, and its faults in people's words.

use jsonc_parser::ast::Value;
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{CollectOptions, ParseOptions, ParseStringErrorKind, parse_to_ast};

use crate::text::position;
use crate::{Diagnostic, Severity};

/// Comments and trailing commas are fine; the rest is JSON, because other programs read the file too.
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

/// The value; `None` where the text holds nothing but space and comments.
pub(crate) fn parse(text: &str) -> Result<Option<Value<'_>>, Diagnostic> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options());
    parsed.map(|parsed| parsed.value).map_err(|error| explain(text, &error))
}

fn explain(text: &str, error: &ParseError) -> Diagnostic {
    let (message, hint) = words(error.kind());
    let (line, column) = position(text, error.range().start);
    Diagnostic {
        severity: Severity::Error,
        message,
        hint: hint.map(str::to_owned),
        line,
        column,
        server: None,
    }
}

fn words(kind: &ParseErrorKind) -> (String, Option<&'static str>) {
    use ParseErrorKind as Kind;
    let (message, hint) = match kind {
        Kind::ExpectedComma => ("a comma is missing here", "Put a `,` between two entries."),
        Kind::ExpectedColonAfterObjectKey => {
            ("a colon is missing after the name", "An entry is written \"name\": value.")
        }
        Kind::ExpectedObjectValue => ("the value is missing", "An entry is written \"name\": value."),
        Kind::ExpectedStringObjectProperty | Kind::UnexpectedTokenInObject => {
            ("a name in double quotes is expected here", "An entry is written \"name\": value.")
        }
        Kind::UnexpectedCloseBrace => {
            ("this `}` comes too early", "A value or a `]` is missing before it, or it is one too many.")
        }
        Kind::UnexpectedCloseBracket => {
            ("this `]` comes too early", "A value or a `}` is missing before it, or it is one too many.")
        }
        Kind::UnexpectedColon => ("a colon does not belong here", "An entry is written \"name\": value."),
        Kind::UnexpectedComma => {
            ("this comma does not belong here", "Remove it, or add what is missing before.")
        }
        Kind::UnexpectedWord => {
            ("this word is not JSON", "Text stands in double quotes; true, false and null do not.")
        }
        Kind::UnexpectedToken => ("this character does not belong here", "Text stands in double quotes."),
        Kind::UnterminatedArray => ("this `[` is never closed", "Add the missing `]`."),
        Kind::UnterminatedObject => ("this `{` is never closed", "Add the missing `}`."),
        Kind::UnterminatedCommentBlock => ("this comment is never closed", "Add the missing `*/`."),
        Kind::String(ParseStringErrorKind::UnterminatedStringLiteral) => {
            ("this text has no closing quote", "Text begins and ends with `\"` on one line.")
        }
        Kind::String(_) => (
            "this text has a `\\` that JSON does not know",
            "Write a backslash as `\\\\`, as in \"C:\\\\Tools\".",
        ),
        Kind::SingleQuotedStringsNotAllowed => ("text stands in double quotes", "Replace `'` by `\"`."),
        Kind::MultipleRootJsonValues => {
            ("there is more after the end of the file's one object", "Check for a `}` too many before this.")
        }
        Kind::NestingDepthExceeded => ("this is nested too deeply", "Check that this is the right file."),
        Kind::BareDecimalPointNumbersNotAllowed
        | Kind::ExpectedDigit
        | Kind::ExpectedDigitFollowingNegativeSign
        | Kind::ExpectedPlusMinusOrDigitInNumberLiteral
        | Kind::HexadecimalNumbersNotAllowed
        | Kind::NonFiniteNumbersNotAllowed
        | Kind::UnaryPlusNumbersNotAllowed => ("this is not a number", "Text stands in double quotes."),
        // These are allowed, so the parser does not say them.
        Kind::CommentsNotAllowed | Kind::TrailingCommasNotAllowed | Kind::Custom(_) => {
            return (kind.to_string(), None);
        }
    };
    (message.to_owned(), Some(hint))
}
