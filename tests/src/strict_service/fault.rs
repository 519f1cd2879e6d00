//! What a request to the token endpoint can meet besides its answer.

use std::time::Duration;

/// One fault of the token endpoint, or of what lies before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenFault {
    /// The connection is reset before anything is done.
    Reset,
    /// The connection is closed without an answer before anything is done.
    Closed,
    /// This status with a line of text; nothing is done.
    Status(u16),
    /// This status with `Retry-After` in seconds; nothing is done.
    RetryAfter(u16, u32),
    /// A page of HTML with this status, as a captive portal or a proxy answers; nothing is done.
    Html(u16),
    /// A redirect to a portal's page; nothing is done.
    Redirect,
    /// 200 with nothing in it.
    Empty,
    /// 200 with tokens that break off in the middle; nothing is done.
    TruncatedTokens,
    /// 200 with the encoding `gzip` and a body that is none; nothing is done.
    BrokenGzip,
    /// 200 with tokens of a type that nobody here speaks; nothing is done.
    OtherTokenType,
    /// The words `invalid_grant` as JSON with this status, which does not mean it.
    FalseInvalidGrant(u16),
    /// The words `invalid_grant` on a page of HTML with 400.
    InvalidGrantOnPage,
    /// 400 with a JSON that says `invalid_grant` and breaks off.
    TruncatedInvalidGrant,
    /// 400 with another error of RFC 6749 §5.2.
    OtherError(&'static str),
    /// The true answer, in pieces over this time.
    Slow(Duration),
    /// No answer at all, before anything is done.
    Silent,
    /// The token is rotated; the connection is reset before the answer.
    ResetAfterCommit,
    /// The token is rotated; the connection is closed before the answer.
    ClosedAfterCommit,
    /// The token is rotated; the answer breaks off within its body.
    TruncatedAfterCommit,
    /// The token is rotated; a gateway answers with this status.
    StatusAfterCommit(u16),
    /// The token is rotated; a page of HTML comes instead of the answer.
    HtmlAfterCommit,
    /// No fault: the family ends, and the answer says so.
    Ended,
}

impl TokenFault {
    /// Whether the rotation is done although its answer is lost.
    pub fn is_after_commit(self) -> bool {
        matches!(
            self,
            Self::ResetAfterCommit
                | Self::ClosedAfterCommit
                | Self::TruncatedAfterCommit
                | Self::StatusAfterCommit(_)
                | Self::HtmlAfterCommit
        )
    }

    /// Whether the client gets its tokens all the same.
    pub fn is_answered(self) -> bool {
        matches!(self, Self::Slow(_))
    }
}
