//! The gateway in front of a scriptable service and of the demo, with clients that speak raw JSON-RPC.

#![expect(clippy::unwrap_used, reason = "a failed test panics")]

mod calls;
mod fixture;
mod lists;
mod sign_in;
