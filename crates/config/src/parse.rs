//! Text to [`Config`](crate::Config).
