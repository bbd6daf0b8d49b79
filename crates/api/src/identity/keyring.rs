//! The keys that secrets are kept under. What must be known again, such as what webhooks are signed with, cannot be kept as a
//! fingerprint: it is encrypted (AES-256-GCM), so that a copy of the database alone gives nothing away.

use super::tokens;
use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use samphan_resource::error::{Code, Error, Result};

/// Bytes of a nonce, which stands before what is encrypted.
const NONCE: usize = 12;

/// Keys, each by its id: the first encrypts, all decrypt.
pub struct Keyring(Vec<(String, Aes256Gcm)>);

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(id, _)| id)).finish()
    }
}

/// A secret as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The id of the key it is encrypted with.
    pub key_id: String,
    /// Nonce and ciphertext.
    pub bytes: Vec<u8>,
}

impl Keyring {
    /// Of keys of 32 bytes, the one that encrypts first. A key's id follows from it, so that no two can be taken for one another.
    pub fn of<'a>(keys: impl IntoIterator<Item = &'a [u8]>) -> Result<Self> {
        let key = |key: &[u8]| {
            let cipher = Aes256Gcm::new_from_slice(key).map_err(|_| Error::from(Code::Internal))?;
            let id = tokens::hash(key).iter().take(8).map(|b| format!("{b:02x}")).collect();
            Ok((id, cipher))
        };
        Ok(Self(keys.into_iter().map(key).collect::<Result<_>>()?))
    }

    /// The id of the key that encrypts.
    #[must_use]
    pub fn current(&self) -> &str {
        self.0.first().map_or("", |(id, _)| id)
    }

    /// Encrypts a secret that belongs to something: it can be read as that thing's only.
    pub fn seal(&self, of: &[u8], secret: &[u8]) -> Result<Sealed> {
        let (id, cipher) = self.0.first().ok_or(Code::Internal)?;
        let nonce: [u8; NONCE] = rand::random();
        let encrypted = cipher.encrypt(&Nonce::from(nonce), Payload { msg: secret, aad: of }).map_err(|_| Error::from(Code::Internal))?;
        Ok(Sealed { key_id: id.clone(), bytes: [nonce.as_slice(), &encrypted].concat() })
    }

    /// Decrypts it; none when its key is not here, or it is not what was sealed for that thing.
    #[must_use]
    pub fn open(&self, of: &[u8], sealed: &Sealed) -> Option<Vec<u8>> {
        let (_, cipher) = self.0.iter().find(|(id, _)| *id == sealed.key_id)?;
        let (nonce, encrypted) = sealed.bytes.split_first_chunk::<NONCE>()?;
        cipher.decrypt(&Nonce::from(*nonce), Payload { msg: encrypted, aad: of }).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_with_its_key_as_what_it_was_sealed_for_and_in_no_other_way() {
        let (old, new) = ([1; 32], [2; 32]);
        let before = Keyring::of([old.as_slice()]).unwrap();
        let sealed = before.seal(b"endpoint", b"secret").unwrap();
        assert!(!sealed.bytes.windows(6).any(|w| w == b"secret"));
        assert_ne!(sealed, before.seal(b"endpoint", b"secret").unwrap(), "never twice the same");
        // Another key goes before; what is kept under the old one is read as long as that is there.
        let both = Keyring::of([new.as_slice(), &old]).unwrap();
        assert_eq!(both.open(b"endpoint", &sealed).unwrap(), b"secret");
        assert_eq!(both.seal(b"endpoint", b"secret").unwrap().key_id, both.current());
        assert_ne!(both.current(), before.current());
        let only_new = Keyring::of([new.as_slice()]).unwrap();
        assert_eq!(only_new.open(b"endpoint", &sealed), None);
        assert_eq!(before.open(b"another", &sealed), None);
        for place in 0..sealed.bytes.len() {
            let mut touched = sealed.clone();
            touched.bytes[place] ^= 1;
            assert_eq!(before.open(b"endpoint", &touched), None, "byte {place}");
        }
        assert_eq!(before.open(b"endpoint", &Sealed { bytes: vec![0; 5], ..sealed }), None);
        assert!(Keyring::of([b"short".as_slice()]).is_err());
    }
}
