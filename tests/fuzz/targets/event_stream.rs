//! An event stream. The first byte is the length of the chunks in which it arrives.

#![no_main]

use libfuzzer_sys::fuzz_target;
use usher_engine::fuzzing;

/// Small, so that the fuzzer reaches it.
const LARGEST_EVENT: usize = 1024;

fuzz_target!(|bytes: &[u8]| {
    let Some((length, body)) = bytes.split_first() else { return };
    let chunks = body.chunks(usize::from(*length).max(1)).map(<[u8]>::to_vec).collect();
    let events = fuzzing::events(chunks, LARGEST_EVENT);
    for data in events.iter().flatten().flatten() {
        // Three bytes can replace each invalid one.
        assert!(data.len() <= 3 * LARGEST_EVENT, "an event of {} bytes", data.len());
    }
    // The events must not depend on the chunks. Only the moment of an error may.
    let whole = fuzzing::events(vec![body.to_vec()], LARGEST_EVENT);
    if events.iter().chain(&whole).all(Result::is_ok) {
        assert_eq!(events, whole);
    }
});
