//! Discovery, registration, authorization and tokens: each a step from input to output over HTTP.
