//! The gateway in front of a scriptable service and of the demo, with clients that speak raw JSON-RPC.

mod calls;
mod fixture;
mod lists;
mod sign_in;
