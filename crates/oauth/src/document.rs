//! Documents from the other side, read leniently: an optional field of the wrong type counts as absent.
