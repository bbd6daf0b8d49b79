//! Limits of sign-ins, machine tokens, credentials that fail and parts of the document.

use samphan_rest::limits::Policy;

/// Failed sign-ins to an account from an address.
pub const SIGN_INS: Policy = Policy { burst: 5, seconds: 60 };
/// Failed sign-ins from an address.
pub const SIGN_INS_FROM: Policy = Policy { burst: 20, seconds: 60 };
/// Failed sign-ins to an account from everywhere, beyond which each waits a while: none is refused, or anyone could lock anyone out.
pub const SIGN_INS_TO: Policy = Policy { burst: 20, seconds: 60 };
/// Failed requests for machine tokens from an address.
pub const TOKENS_FROM: Policy = Policy { burst: 20, seconds: 60 };
/// Access tokens and API keys from an address that are not valid.
pub const BAD_CREDENTIALS: Policy = Policy { burst: 60, seconds: 60 };

/// Parts of the document made for an address. Each costs some tenths of a second of one core.
pub const DOCUMENT_PARTS: Policy = Policy { burst: 10, seconds: 60 };
