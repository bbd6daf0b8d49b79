//! Limits of sign-ins, machine tokens, credentials that fail and parts of the document.

use samphan_rest::rate_limit::RateLimitPolicy;

/// Failed sign-ins to an account from an address.
pub const SIGN_INS: RateLimitPolicy = RateLimitPolicy { burst: 5, seconds: 60 };
/// Failed sign-ins from an address.
pub const SIGN_INS_FROM: RateLimitPolicy = RateLimitPolicy { burst: 20, seconds: 60 };
/// Failed sign-ins to an account from everywhere, beyond which each waits a while: none is refused, or anyone could lock anyone out.
pub const SIGN_INS_TO: RateLimitPolicy = RateLimitPolicy { burst: 20, seconds: 60 };
/// Failed requests for machine tokens from an address.
pub const TOKENS_FROM: RateLimitPolicy = RateLimitPolicy { burst: 20, seconds: 60 };
/// Access tokens and API keys from an address that are not valid.
pub const BAD_CREDENTIALS: RateLimitPolicy = RateLimitPolicy { burst: 60, seconds: 60 };
/// Requests for preference pages with unknown tokens, and changes of such pages, from an address.
pub const PREFERENCE_PAGES: RateLimitPolicy = RateLimitPolicy { burst: 20, seconds: 60 };

/// Parts of the document made for an address. Each costs some tenths of a second of one core.
pub const DOCUMENT_PARTS: RateLimitPolicy = RateLimitPolicy { burst: 10, seconds: 60 };
